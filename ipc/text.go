// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ValidText reports whether s may stand in a text field: at most TextSize bytes of
// valid UTF-8, of printable characters only. unicode.IsPrint leaves out control and
// format characters, so that no line of the audit can be broken, hidden or turned
// around (bidi) by a name; spaces other than U+0020 are left out too.
func ValidText(s string) bool {
	if len(s) > TextSize || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// CleanText makes any s fit for a text field: what may not stand there becomes '?',
// and what is too long is cut between two characters.
func CleanText(s string) string {
	if ValidText(s) {
		return s
	}
	return Printable(s, TextSize)
}

// Printable is CleanText for texts of at most so many bytes.
func Printable(s string, most int) string {
	var b strings.Builder
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		if b.Len()+utf8.RuneLen(r) > most {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

func appendText(b []byte, s string) []byte {
	var field [TextSize]byte
	copy(field[:], s)
	return append(b, field[:]...)
}

func decodeText(b []byte) (string, error) {
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	s := string(b[:n])
	if !ValidText(s) {
		return "", malformed("text field %q", s)
	}
	return s, nil
}
