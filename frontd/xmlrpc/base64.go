// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import "strings"

// decodeBase64 decodes the standard alphabet with padding (RFC 4648, section 4), white space
// anywhere. The bits that padding leaves over must be zero. The standard library's decoder
// knows line ends only, and would need another copy for the rest.
func decodeBase64(s string) (string, bool) {
	var out strings.Builder
	out.Grow(len(s)/4*3 + 3)
	var bits uint32
	n, pad := 0, 0
	for i := range len(s) {
		c := s[i]
		if isSpace(c) {
			continue
		}
		if c == '=' {
			pad++
			continue
		}
		six, ok := sixBits(c)
		if !ok || pad > 0 {
			return "", false
		}
		bits = bits<<6 | six
		if n++; n%4 == 0 {
			out.WriteByte(byte(bits >> 16))
			out.WriteByte(byte(bits >> 8))
			out.WriteByte(byte(bits))
		}
	}
	switch {
	case n%4 == 0 && pad == 0:
		return out.String(), true
	case n%4 == 2 && pad == 2 && bits&0xf == 0:
		out.WriteByte(byte(bits >> 4))
		return out.String(), true
	case n%4 == 3 && pad == 1 && bits&0x3 == 0:
		out.WriteByte(byte(bits >> 10))
		out.WriteByte(byte(bits >> 2))
		return out.String(), true
	}
	return "", false
}

func sixBits(c byte) (uint32, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return uint32(c - 'A'), true
	case c >= 'a' && c <= 'z':
		return uint32(c-'a') + 26, true
	case c >= '0' && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, false
}
