// SPDX-License-Identifier: GPL-2.0-or-later

package top

import "github.com/gdamore/tcell/v2"

// theme is how things look: in the terminal's own two colours and the 16 that every terminal
// has. What a colour says is also said by a word, a sign or an attribute.
type theme struct {
	plain, title, header, cursor, marked, faint, good, bad, caution tcell.Style
	arrow, ellipsis                                                 string
}

func newTheme(colours, unicode bool) theme {
	plain := tcell.StyleDefault
	t := theme{
		plain: plain, title: plain.Bold(true), header: plain.Reverse(true).Bold(true), cursor: plain.Reverse(true),
		marked: plain.Bold(true), faint: plain, good: plain.Bold(true), bad: plain.Bold(true), caution: plain.Bold(true),
		arrow: "->", ellipsis: "~",
	}
	if colours {
		t.marked = t.marked.Foreground(tcell.ColorYellow)
		t.good = t.good.Foreground(tcell.ColorGreen)
		t.bad = t.bad.Foreground(tcell.ColorRed)
		t.caution = t.caution.Foreground(tcell.ColorYellow)
		t.header = plain.Foreground(tcell.ColorBlack).Background(tcell.ColorTeal)
	}
	if unicode {
		t.arrow, t.ellipsis = "→", "…"
	}
	return t
}
