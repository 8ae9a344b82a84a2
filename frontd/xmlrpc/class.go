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

// isNameStart and isName are productions 4 and 4a as far as they are ASCII, which is all
// that names which mean something here are made of.
func isNameStart(c byte) bool { return isLetter(c) || c == '_' || c == ':' }

func isName(c byte) bool { return isNameStart(c) || isDigit(c) || c == '-' || c == '.' }

// nameRanges is the rest of production 4, nameMore that of 4a.
var (
	nameRanges = [...][2]rune{
		{0xc0, 0xd6}, {0xd8, 0xf6}, {0xf8, 0x2ff}, {0x370, 0x37d}, {0x37f, 0x1fff}, {0x200c, 0x200d}, {0x2070, 0x218f},
		{0x2c00, 0x2fef}, {0x3001, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xfffd}, {0x10000, 0xeffff},
	}
	nameMore = [...][2]rune{{0xb7, 0xb7}, {0x300, 0x36f}, {0x203f, 0x2040}}
)

func isNameRune(r rune, first bool) bool {
	return within(r, nameRanges[:]) || !first && within(r, nameMore[:])
}

func within(r rune, ranges [][2]rune) bool {
	for _, in := range ranges {
		if r >= in[0] && r <= in[1] {
			return true
		}
	}
	return false
}

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
