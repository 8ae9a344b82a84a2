// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"github.com/gdamore/tcell/v2"

	"nuconntrack/cmd/nuctl/output"
)

// painter writes lines of plain text; nothing in them is markup.
type painter struct {
	screen tcell.Screen
	width  int
	theme  theme
}

// line writes a whole line, cut at the edge of the screen.
func (p painter) line(y int, style tcell.Style, text string) {
	for x := range p.width {
		p.screen.SetContent(x, y, ' ', nil, style)
	}
	p.at(0, y, style, cut(text, p.width, p.theme.ellipsis))
}

// at writes a text that fits and gives the column behind it.
func (p painter) at(x, y int, style tcell.Style, text string) int {
	for _, r := range text {
		p.screen.SetContent(x, y, r, nil, style)
		x += output.Width(string(r))
	}
	return x
}

// both writes a line with something at its right end, which the left leaves the room.
func (p painter) both(y int, style tcell.Style, left, right string) {
	right = cut(right, p.width/2, p.theme.ellipsis)
	room := p.width - output.Width(right)
	if right != "" {
		left = cut(left, room-2, p.theme.ellipsis)
	}
	p.line(y, style, left)
	p.at(room, y, style, right)
}

// bar gives a line one style, the spaces between the columns included.
func (p painter) bar(y int, style tcell.Style) {
	for x := 0; x < p.width; {
		text, _, width := p.screen.Get(x, y)
		p.screen.Put(x, y, text, style)
		x += max(width, 1)
	}
}

// cut shortens a text to so many columns and shows where it went on.
func cut(text string, width int, ellipsis string) string {
	if output.Width(text) <= width {
		return text
	}
	used := output.Width(ellipsis)
	for i, r := range text {
		if used += output.Width(string(r)); used > width {
			return text[:i] + ellipsis
		}
	}
	return text
}
