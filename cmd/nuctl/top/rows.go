// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"nuconntrack/cmd/nuctl/output"
)

// rows is the content of the table widget: it asks for the rows on the screen only, and finds
// them in the state. The first row has the titles, the first column the signs of marks.
type rows struct {
	tview.TableContentReadOnly
	theme   theme
	state   *state
	columns []column
	widths  []int
}

// signWidth is what the marks' column takes, with the space behind it.
const signWidth = 2

// prepare chooses the columns for what is on the screen.
func (r *rows) prepare(s *state, width int) {
	r.state = s
	all := connectionColumns()
	if s.query.by != "" {
		all = groupColumns(strings.ToUpper(groupingOf(s.query.by).title))
	}
	all = slices.DeleteFunc(all, func(c column) bool { return s.query.by == "" && !s.fields[c.field] })
	for i := range all {
		if all[i].field == s.query.orderBy {
			all[i].keep = keepAlways // else nobody sees what the order is
		}
	}
	widest := func(c column) int {
		most := output.Width(c.title) + 2
		for at := s.top; at < s.top+s.height; at++ {
			if row := s.win.row(at); row != nil {
				most = max(most, output.Width(c.cell(row, r.theme.arrow)))
			}
		}
		return most
	}
	r.columns, r.widths = layout(all, widest, width-signWidth)
}

// GetRowCount is that of the whole table, which is elsewhere.
func (r *rows) GetRowCount() int { return r.state.win.total + 1 }

// GetColumnCount counts the signs' column too.
func (r *rows) GetColumnCount() int { return len(r.columns) + 1 }

// GetCell makes the cell. All text is cleaned, cut and escaped here.
func (r *rows) GetCell(at, column int) *tview.TableCell {
	if column > len(r.columns) {
		return nil
	}
	text, style := "", r.theme.header
	if at == 0 {
		text = r.title(column)
	} else {
		text, style = r.text(at-1, column), r.style(at-1)
	}
	width, right := 1, false
	if column > 0 {
		width, right = r.widths[column-1], r.columns[column-1].right
	}
	text = cut(text, width, r.theme.ellipsis)
	pad := strings.Repeat(" ", max(width-output.Width(text), 0))
	if right {
		text = pad + text
	} else {
		text += pad
	}
	// The widget leaves the space between columns as it is: the last takes the rest of the line.
	cell := tview.NewTableCell(tview.Escape(text)).SetStyle(style)
	if column == len(r.columns) {
		cell.SetExpansion(1)
	}
	return cell
}

func (r *rows) title(column int) string {
	if column == 0 {
		return " "
	}
	c := r.columns[column-1]
	if c.field != r.state.query.orderBy {
		return c.title
	}
	// The order is a word for those who see no arrows: + goes up, - goes down.
	if r.state.query.desc {
		return c.title + "-"
	}
	return c.title + "+"
}

func (r *rows) text(at, column int) string {
	row := r.state.win.row(at)
	switch {
	case row == nil && column == 1:
		return "..." // on its way
	case row == nil:
		return ""
	case column == 0 && r.state.marks.has(keyOf(row)):
		return "*"
	case column == 0:
		return " "
	}
	return r.columns[column-1].cell(row, r.theme.arrow)
}

func (r *rows) style(at int) tcell.Style {
	style := r.theme.plain
	if row := r.state.win.row(at); row != nil && r.state.marks.has(keyOf(row)) {
		style = r.theme.marked
	}
	if at == r.state.cursor {
		style = style.Reverse(true)
	}
	return style
}
