// SPDX-License-Identifier: GPL-2.0-or-later

package top

import "nuconntrack/cmd/nuctl/connection"

// window is the part of a snapshot that is held here: rows that follow each other.
type window struct {
	page
	index map[string]int // place of each key in the table
}

func newWindow(p page) window {
	w := window{page: p, index: make(map[string]int, len(p.rows))}
	for i, row := range p.rows {
		if key := keyOf(row); key != "" {
			w.index[key] = p.start + i
		}
	}
	return w
}

// row is the one at a place of the table; nil if it is not held.
func (w window) row(at int) connection.Row {
	if at < w.start || at >= w.start+len(w.rows) {
		return nil
	}
	return w.rows[at-w.start]
}

// place is where the connection with a key is, if it is held.
func (w window) place(key string) (int, bool) {
	at, ok := w.index[key]
	return at, ok
}

// lacks says whether rows of the table between low and high, within its bounds, are missing.
func (w window) lacks(low, high int) bool {
	low, high = max(low, 0), min(high, w.total)
	return low < high && (low < w.start || high > w.start+len(w.rows))
}

// around is what to fetch for a screen that begins at top.
func around(top, height int) (start, length int) {
	margin := min(max(marginScreens*height, minMargin), maxMargin)
	start = max(top-margin, 0)
	return start, top + height + margin - start
}

// keyOf names the connection of a row, or the group; empty if the server named none.
func keyOf(row connection.Row) string {
	key, _ := row.Text("key")
	return key
}
