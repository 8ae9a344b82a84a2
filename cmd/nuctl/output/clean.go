// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of one text is shown, in bytes.
const maxText = 4096

// Clean makes text harmless for a terminal: what is not plainly visible, in place and
// written from left to right becomes an escape such as \x1b or \u202e. A text of
// more than 4096 bytes is cut.
func Clean(text string) string {
	if plain(text) && len(text) <= maxText {
		return text
	}
	cut := len(text) > maxText
	if cut {
		text = text[:maxText]
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case harmless(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	if cut {
		b.WriteString("...")
	}
	return b.String()
}

// plain says whether a text is of visible ASCII and blanks alone, as nearly all are.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// CleanLines is Clean for a text whose line breaks are kept.
func CleanLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = Clean(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// harmless says whether a character shows as itself and changes nothing around it.
// Marks would sit on the character before, right-to-left letters would reorder the
// addresses beside them.
func harmless(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r != 0x7f
	}
	return unicode.IsPrint(r) && !unicode.Is(unicode.M, r) && !rightToLeft(r)
}

// rightToLeft covers the blocks that Unicode keeps for such scripts (UAX #9, section 3.2,
// default values of Bidi_Class).
func rightToLeft(r rune) bool {
	return 0x0590 <= r && r <= 0x08ff || 0xfb1d <= r && r <= 0xfdff || 0xfe70 <= r && r <= 0xfeff ||
		0x10800 <= r && r <= 0x10fff || 0x1e800 <= r && r <= 0x1efff
}

// width is how many columns a text takes that Clean let pass.
func width(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// runeWidth is 2 for the blocks whose characters are wide (UAX #11).
func runeWidth(r rune) int {
	switch {
	case r < 0x1100:
		return 1
	case r <= 0x115f, 0x2e80 <= r && r <= 0xa4cf, 0xac00 <= r && r <= 0xd7a3, 0xf900 <= r && r <= 0xfaff,
		0xfe30 <= r && r <= 0xfe6f, 0xff00 <= r && r <= 0xff60, 0xffe0 <= r && r <= 0xffe6,
		0x1f300 <= r && r <= 0x1faff, 0x20000 <= r && r <= 0x3fffd:
		return 2
	}
	return 1
}
