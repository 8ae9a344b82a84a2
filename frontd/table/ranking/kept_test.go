// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"runtime"
	"slices"
	"testing"
	"weak"

	"nuconntrack/frontd/table"
)

// TestScopesShareNoAnswers: the answers that a snapshot keeps for one scope are not given
// to another.
func TestScopesShareNoAnswers(t *testing.T) {
	s := fewRows(t)
	for _, lines := range []string{"networks = ['10.0.0.1']", "networks = ['10.0.0.2']", "zones = [7]", "", "marks = [7]", "zones = [0]"} {
		visible := table.ScopeFilter(scopeOf(t, lines))
		for range 2 {
			page, err := Rows(s, Query{Visible: visible, OrderBy: "id", Length: 10})
			want := len(visible.Rows(s))
			if err != nil || page.Count != want || page.Total != want || len(page.Rows) != want {
				t.Errorf("%q: %+v, %v, want %d rows", lines, page, err, want)
			}
		}
	}
}

func TestMatching(t *testing.T) {
	s := fewRows(t)
	four := compiled(t, map[string]table.Operand{"address": "0.0.0.0/0"})
	tests := map[string]struct {
		filter *table.Filter
		scope  string
		most   int
		rows   []int32
		total  int
	}{
		"all":              {nil, "", 5, []int32{0, 1, 2, 3, 4}, 5},
		"one too many":     {nil, "", 4, nil, 5},
		"a filter":         {four, "", 5, []int32{0, 1, 2, 4}, 4},
		"in a scope":       {four, "zones = [0]", 2, []int32{0, 2}, 2},
		"too many of them": {four, "zones = [0]", 1, nil, 2},
		"none":             {four, "networks = ['::/0']", 5, []int32{}, 0},
	}
	for name, test := range tests {
		rows, total := Matching(s, test.filter, table.ScopeFilter(scopeOf(t, test.scope)), test.most)
		if !slices.Equal(rows, test.rows) || total != test.total {
			t.Errorf("%s: rows %v of %d, want %v of %d", name, rows, total, test.rows, test.total)
		}
		if n := Count(s, table.ScopeFilter(scopeOf(t, test.scope))); test.filter == nil && n != test.total {
			t.Errorf("%s: %d are counted", name, n)
		}
	}
}

// TestExcerptLetsTheTableGo: a page that is still being written does not keep its table.
func TestExcerptLetsTheTableGo(t *testing.T) {
	s := randomRows(t, 1000, 4)
	page, err := Rows(s, Query{OrderBy: "orig_src", Length: 30})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := s.Excerpt(page.Rows)
	whole := weak.Make(s)
	s, page = nil, Page{}
	runtime.GC()
	if whole.Value() != nil {
		t.Error("the table is still there")
	}
	runtime.KeepAlive(e)
}
