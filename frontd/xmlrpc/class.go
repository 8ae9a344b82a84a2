// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

// spaces is white space as XML 1.0 has it (production 3): no form feed, no
// non-breaking space, nothing else of Unicode's.
const spaces = " \t\r\n"

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isEncoding is what the name of an encoding is made of (production 81).
func isEncoding(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '.' || c == '_' || c == '-'
}

// isNameStart and isName take every character beyond ASCII for a part of a name. All names
// that mean something here are ASCII, so the others are refused a step later.
func isNameStart(c byte) bool { return isLetter(c) || c == '_' || c == ':' || c >= 0x80 }

func isName(c byte) bool { return isNameStart(c) || isDigit(c) || c == '-' || c == '.' }

// isMethod is what the specification allows in a methodName.
func isMethod(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '_' || c == '.' || c == ':' || c == '/'
}

func allBytes[T string | []byte](s T, class func(byte) bool) bool {
	for i := range len(s) {
		if !class(s[i]) {
			return false
		}
	}
	return true
}
