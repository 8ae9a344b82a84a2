// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"
	"testing"
)

// TestExcerpt: an excerpt says the same of its rows as the table does, whatever the field.
func TestExcerpt(t *testing.T) {
	s := randomRows(1000, 3)
	rows := []int32{999, 0, 17, 500, 501, 502, 17, 3, 250, 251, 252, 253}
	e, places := s.Excerpt(rows)
	if e == s || e.Len() != len(rows) || len(places) != len(rows) {
		t.Fatalf("%d rows at %d places for %d", e.Len(), len(places), len(rows))
	}
	if e.Name() != s.Name() || !e.Taken().Equal(s.Taken()) {
		t.Errorf("it is %s of %s", e.Name(), e.Taken())
	}
	values := 0
	for i, row := range rows {
		for _, f := range Fields() {
			got, has := f.Value(e, places[i])
			want, wanted := f.Value(s, row)
			if got != want || has != wanted {
				t.Errorf("%s of row %d: %v, %t; want %v, %t", f.Name, row, got, has, want, wanted)
			}
			if has {
				values++
			}
		}
	}
	if values == 0 {
		t.Error("no row has any value")
	}
}

// TestExcerptOfMostRows: what is nearly the whole table is not copied for each who asks.
func TestExcerptOfMostRows(t *testing.T) {
	s := randomRows(100, 5)
	rows := (*Filter)(nil).Rows(s)
	if e, places := s.Excerpt(rows); e != s || !slices.Equal(places, rows) {
		t.Errorf("%d of %d rows were copied", e.Len(), s.Len())
	}
	if e, places := randomRows(0, 6).Excerpt(nil); e.Len() != 0 || len(places) != 0 {
		t.Errorf("%d rows of an empty table", e.Len())
	}
}
