// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"nuconntrack/cmd/nuctl/output"
)

// boxMost is how wide a box over the table gets, in characters.
const boxMost = 110

// box draws a popup over the middle of the table. Its text is no markup, and cleaned.
func (v *view) box(screen tcell.Screen, p *popup, width, height int) {
	lines := p.lines
	if p.kind == popupDetail {
		lines = detailLines(p.row)
		if p.note != "" {
			lines = append([]string{strings.ToUpper(p.note[:1]) + p.note[1:], ""}, lines...)
		}
	}
	widest := 40
	clean := make([]string, len(lines))
	for i, line := range lines {
		clean[i] = output.Clean(line)
		widest = max(widest, output.Width(clean[i]))
	}
	w := min(widest+4, width, boxMost)
	clean = wrap(clean, w-4)
	h := min(len(clean)+2, height-footRows)
	p.line = max(min(p.line, len(clean)-(h-2)), 0)

	title := p.title
	if len(clean) > h-2 {
		title = fmt.Sprintf("%s, lines %d to %d of %d", title, p.line+1, p.line+h-2, len(clean))
	}
	text := tview.NewTextView().SetText(strings.Join(clean, "\n")).SetWrap(false).SetTextStyle(v.theme.plain)
	text.SetBorder(true).SetBorderStyle(v.theme.title).SetTitle(" " + title + " ").SetTitleColor(tcell.ColorDefault)
	text.SetBackgroundColor(tcell.ColorDefault)
	text.SetBorderPadding(0, 0, 1, 1)
	text.SetRect((width-w)/2, max((height-h)/2, 0), w, h)
	text.ScrollTo(p.line, 0)
	text.Draw(screen)
}

// wrap breaks lines that are too long; what follows is indented.
func wrap(lines []string, width int) []string {
	var out []string
	for _, line := range lines {
		for output.Width(line) > width {
			head := cut(line, width, "")
			if at := strings.LastIndexByte(head, ' '); at > width/2 {
				head = head[:at]
			}
			out = append(out, head)
			line = "  " + strings.TrimLeft(line[len(head):], " ")
		}
		out = append(out, line)
	}
	return out
}
