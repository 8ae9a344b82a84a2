// SPDX-License-Identifier: GPL-2.0-or-later

package top

import "github.com/gdamore/tcell/v2"

// theme is how things look: in the terminal's own two colours and the 16 that every terminal
// has. What a colour says is also said by a word, a sign or an attribute.
type theme struct {
	plain, title, header, marked, bad, caution tcell.Style
	arrow, ellipsis                            string
}

func newTheme(colours, unicode bool) theme {
	plain := tcell.StyleDefault
	t := theme{
		plain: plain, title: plain.Bold(true), header: plain.Bold(true).Underline(true),
		marked: plain.Bold(true), bad: plain.Bold(true), caution: plain.Bold(true),
		arrow: "->", ellipsis: "~",
	}
	if colours {
		// On a background of their own colours are readable whatever the terminal's is: yellow
		// on white is not, nor dark blue on black.
		t.marked = plain.Foreground(tcell.ColorBlack).Background(tcell.ColorOlive)
		t.bad = plain.Foreground(tcell.ColorWhite).Background(tcell.ColorMaroon).Bold(true)
		t.caution = plain.Foreground(tcell.ColorBlack).Background(tcell.ColorYellow)
		t.header = plain.Foreground(tcell.ColorBlack).Background(tcell.ColorTeal)
	}
	if unicode {
		t.arrow, t.ellipsis = "→", "…"
	}
	return t
}
