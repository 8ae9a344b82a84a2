// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"io"
	"slices"
	"strings"

	"nuconntrack/cmd/nuctl/connection"
)

// minElastic is how narrow a column of addresses may become, in characters.
const minElastic = 9

// table lays out rows in columns. Which columns there are is decided with the first page, so
// that one title holds for all; their widths grow when a later page needs it.
type table struct {
	out      io.Writer
	limit    int
	header   bool
	colour   bool
	names    Names
	arrow    string
	ellipsis string
	columns  []column
	widths   []int
	begun    bool
}

func newTable(c Config) *table {
	t := &table{out: c.Out, limit: c.Columns, header: !c.NoHeader, colour: c.Colour, names: c.Names,
		arrow: " -> ", ellipsis: "~", columns: columns(c.Names)}
	if c.Unicode {
		t.arrow, t.ellipsis = " → ", "…"
	}
	switch {
	case len(c.Fields) > 0:
		t.columns = fieldColumns(c.Fields)
	case c.GroupBy != "":
		t.columns = groupColumns(c.GroupBy)
	case c.Format == "wide":
		t.columns = wideColumns(c.Names)
	}
	if c.Format == "wide" {
		t.limit = 0
	}
	for i := range t.columns {
		if c.OrderBy != "" && t.columns[i].field == c.OrderBy {
			t.columns[i].keep = keepAlways
		}
	}
	return t
}

// Page writes the rows.
func (t *table) Page(rows []connection.Row) error {
	if t.names != nil {
		t.names.Learn(rows)
	}
	cells := make([][]string, len(rows))
	for i, row := range rows {
		for _, c := range t.columns {
			cells[i] = append(cells[i], c.cell(row, t.arrow))
		}
	}
	if !t.begun {
		cells = t.choose(cells)
	}
	t.measure(cells)
	if t.limit > 0 {
		t.squeeze()
	}
	var b strings.Builder
	if !t.begun && t.header {
		titles := make([]string, len(t.columns))
		for i, c := range t.columns {
			titles[i] = c.title
		}
		t.titles(&b, titles)
	}
	t.begun = true
	for _, row := range cells {
		t.line(&b, row)
	}
	_, err := io.WriteString(t.out, b.String())
	return err
}

// End writes the titles if no page did.
func (t *table) End() error {
	if t.begun {
		return nil
	}
	return t.Page(nil)
}

// choose drops sparse columns with nothing in them, then as many of the others as the
// width demands, least wanted first. A column that is wanted more than the results of
// translation stays while there is room for it without them.
func (t *table) choose(cells [][]string) [][]string {
	for i := len(t.columns) - 1; i >= 0; i-- {
		says := func(row []string) bool { return row[i] != unknown }
		if t.columns[i].sparse && !slices.ContainsFunc(cells, says) {
			cells = t.drop(cells, i)
		}
	}
	t.measure(cells)
	for t.limit > 0 && t.total() > t.limit {
		least := 0
		for i, c := range t.columns {
			if c.keep < t.columns[least].keep {
				least = i
			}
		}
		keep := t.columns[least].keep
		if keep >= keepAlways || keep > keepTranslated && t.untranslated(cells) <= t.limit {
			break
		}
		cells = t.drop(cells, least)
	}
	return cells
}

// untranslated is how wide the table is with what stands before the arrows alone.
func (t *table) untranslated(cells [][]string) int {
	sum := t.total()
	for i, c := range t.columns {
		if !c.elastic {
			continue
		}
		needed := width(c.title)
		for _, row := range cells {
			before, _, _ := strings.Cut(row[i], t.arrow)
			needed = max(needed, width(before)+width(t.ellipsis))
		}
		sum -= max(0, t.widths[i]-needed)
	}
	return sum
}

func (t *table) drop(cells [][]string, at int) [][]string {
	t.columns = slices.Delete(t.columns, at, at+1)
	if at < len(t.widths) {
		t.widths = slices.Delete(t.widths, at, at+1)
	}
	for i := range cells {
		cells[i] = slices.Delete(cells[i], at, at+1)
	}
	return cells
}

// measure widens the columns to what is in them.
func (t *table) measure(cells [][]string) {
	if t.widths == nil {
		t.widths = make([]int, len(t.columns))
		if t.header {
			for i, c := range t.columns {
				t.widths[i] = width(c.title)
			}
		}
	}
	for _, row := range cells {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], width(cell))
		}
	}
}

func (t *table) total() int {
	sum := 2 * (len(t.widths) - 1)
	for _, w := range t.widths {
		sum += w
	}
	return sum
}

// squeeze takes columns from the widest elastic column until the line fits, or no
// column can give any more.
func (t *table) squeeze() {
	for t.total() > t.limit {
		widest := -1
		for i, c := range t.columns {
			if c.elastic && t.widths[i] > minElastic && (widest < 0 || t.widths[i] > t.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		t.widths[widest]--
	}
}

// titles writes the line above the table.
func (t *table) titles(b *strings.Builder, cells []string) {
	var line strings.Builder
	t.line(&line, cells)
	text := strings.TrimSuffix(line.String(), "\n")
	if t.colour {
		text = Bold(text)
	}
	b.WriteString(text + "\n")
}

func (t *table) line(b *strings.Builder, cells []string) {
	for i, cell := range cells {
		cell = shorten(cell, t.widths[i], t.arrow, t.ellipsis)
		pad := strings.Repeat(" ", t.widths[i]-width(cell))
		if i > 0 {
			b.WriteString("  ")
		}
		switch {
		case t.columns[i].right:
			b.WriteString(pad + cell)
		case i == len(cells)-1:
			b.WriteString(cell)
		default:
			b.WriteString(cell + pad)
		}
	}
	b.WriteByte('\n')
}
