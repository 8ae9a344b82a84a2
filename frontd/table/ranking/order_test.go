// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"nuconntrack/frontd/table"
)

// naiveOrder sorts by what a caller sees: the values, and the texts of the keys.
func naiveOrder(s *table.Snapshot, f table.Field, desc bool, rows []int32) []int32 {
	sorted := slices.Clone(rows)
	keys := make([]string, s.Len())
	for _, row := range rows {
		keys[row] = s.Key(row)
	}
	slices.SortFunc(sorted, func(a, b int32) int {
		x, hasX := f.Value(s, a)
		y, hasY := f.Value(s, b)
		c := 0
		switch {
		case hasX && hasY:
			if c = naiveCompare(f, x, y); desc {
				c = -c
			}
		case hasX:
			c = -1
		case hasY:
			c = 1
		}
		return cmp.Or(c, strings.Compare(keys[a], keys[b]))
	})
	return sorted
}

func naiveCompare(f table.Field, x, y table.Value) int {
	switch {
	case f.Name == "start":
		return cmp.Compare(x.Num, y.Num) // finer than the text
	case x.Kind == table.KindText:
		return strings.Compare(x.Text, y.Text)
	case x.Kind == table.KindAddr:
		return x.Addr.Compare(y.Addr) // IPv4 first
	}
	return cmp.Compare(x.Num, y.Num)
}

func TestOrderOfEveryField(t *testing.T) {
	s := randomRows(t, 2000, 11)
	all := (*table.Filter)(nil).Rows(s)
	for _, f := range table.Fields() {
		if !f.Sort {
			continue
		}
		for _, desc := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", f.Name, desc), func(t *testing.T) {
				page, err := Rows(s, Query{OrderBy: f.Name, Desc: desc, Length: s.Len()})
				if err != nil {
					t.Fatal(err)
				}
				want := naiveOrder(s, f, desc, all)
				if i := firstDifference(page.Rows, want); i >= 0 {
					t.Errorf("place %d of %d and %d differs", i, len(page.Rows), len(want))
				}
			})
		}
	}
}

func firstDifference(a, b []int32) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

// TestPagesOfLargeTables asks for pages of a table too large to be sorted as a whole.
func TestPagesOfLargeTables(t *testing.T) {
	s := randomRows(t, manyRows+5000, 5)
	rnd := rand.New(rand.NewPCG(5, 5))
	udp := compiled(t, map[string]table.Operand{"proto": []any{"udp", "tcp"}})
	for _, name := range []string{"orig_src", "orig_ipv6_dst", "byte_rate", "proto", "zone", "helper"} {
		f, _ := table.FieldNamed(name)
		for _, filter := range []*table.Filter{nil, udp} {
			desc := rnd.IntN(2) == 0
			want := naiveOrder(s, f, desc, filter.Rows(s))
			for _, start := range []int{0, 1, 29, len(want) / 2, len(want) - 7, len(want) - 1, rnd.IntN(len(want)), rnd.IntN(len(want))} {
				length := 1 + rnd.IntN(5000)
				page, err := Rows(s, Query{Filter: filter, OrderBy: name, Desc: desc, Start: start, Length: length})
				if err != nil {
					t.Fatal(err)
				}
				if page.Total != len(want) || page.Count != s.Len() {
					t.Fatalf("%s: total %d of %d, want %d", name, page.Total, page.Count, len(want))
				}
				if !slices.Equal(page.Rows, want[start:min(start+length, len(want))]) {
					t.Errorf("%s desc=%v: the page at %d of %d rows is another", name, desc, start, length)
				}
			}
		}
	}
}

// TestPagesPartition walks through whole tables: every row once, none skipped.
func TestPagesPartition(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, table.BlockRows, table.BlockRows + 1, gatherAll, gatherAll + 1, 30000} {
		s := randomRows(t, n, uint64(n))
		for _, name := range []string{DefaultOrder, "tcp_state"} {
			seen := make([]bool, n)
			for start := 0; start < n; start += 777 {
				page, err := Rows(s, Query{OrderBy: name, Desc: true, Start: start, Length: 777})
				if err != nil || len(page.Rows) != min(777, n-start) {
					t.Fatalf("%d rows by %s from %d: %d rows, %v", n, name, start, len(page.Rows), err)
				}
				for _, row := range page.Rows {
					if seen[row] {
						t.Fatalf("%d rows by %s from %d: row %d again", n, name, start, row)
					}
					seen[row] = true
				}
			}
		}
	}
}

// TestOrderIsTheSameInEverySnapshot puts the same connections in another sequence.
func TestOrderIsTheSameInEverySnapshot(t *testing.T) {
	all := randomConnections(500, 1)
	s := read(t, all)
	slices.Reverse(all)
	other := read(t, all)
	for _, name := range []string{"orig_src", "mark", "orig_zone"} {
		a, _ := Rows(s, Query{OrderBy: name, Length: 500})
		b, _ := Rows(other, Query{OrderBy: name, Length: 500})
		for i := range a.Rows {
			if s.Key(a.Rows[i]) != other.Key(b.Rows[i]) {
				t.Fatalf("by %s the connections at %d differ", name, i)
			}
		}
	}
}

func compiled(t *testing.T, members map[string]table.Operand) *table.Filter {
	t.Helper()
	f, err := table.CompileFilter(members)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPageTotals(t *testing.T) {
	s := fewRows(t)
	visible := compiled(t, map[string]table.Operand{"orig_src": "10.0.0.0/16"})
	for _, c := range []struct {
		name         string
		q            Query
		rows         []int32
		total, count int
	}{
		// Rows 0 and 4 have one source: the id, upwards in both directions, decides.
		{"everything", Query{Length: 10}, []int32{4, 0, 1, 2, 3}, 5, 5},
		{"downwards", Query{Length: 10, Desc: true}, []int32{3, 2, 1, 4, 0}, 5, 5},
		{"a page", Query{Start: 1, Length: 2}, []int32{0, 1}, 5, 5},
		{"the totals alone", Query{Start: 1}, nil, 5, 5},
		{"beyond the end", Query{Start: 5, Length: 1}, nil, 5, 5},
		{"far beyond the end", Query{Start: 1 << 62, Length: 1 << 62}, nil, 5, 5},
		{"a page longer than can be counted", Query{Start: 4, Length: 1<<63 - 1}, []int32{3}, 5, 5},
		{"what is visible", Query{Visible: visible, Length: 10}, []int32{4, 0, 1}, 3, 3},
		{"a filter of what is visible", Query{Visible: visible, Filter: compiled(t, map[string]table.Operand{"port": ">50"}), Length: 10},
			[]int32{0, 1}, 2, 3},
		{"a filter that shows what is not visible", Query{Visible: visible, Filter: compiled(t, map[string]table.Operand{"proto": "icmp"}), Length: 10},
			nil, 0, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.OrderBy = DefaultOrder
			page, err := Rows(s, c.q)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(page.Rows, c.rows) || page.Total != c.total || page.Count != c.count {
				t.Errorf("rows %v, total %d, count %d", page.Rows, page.Total, page.Count)
			}
		})
	}
	if page, err := Rows(&table.Snapshot{}, Query{OrderBy: "byte_rate", Length: 5}); err != nil || page.Total != 0 || len(page.Rows) != 0 {
		t.Errorf("an empty table: %v, %v", page, err)
	}
}

func TestPageRefuses(t *testing.T) {
	s := fewRows(t)
	for _, c := range []struct {
		name  string
		q     Query
		param string
	}{
		{"no field", Query{}, "order_by"},
		{"an unknown field", Query{OrderBy: "nonsense"}, "order_by"},
		{"a field for filters only", Query{OrderBy: "address"}, "order_by"},
		{"a negative start", Query{OrderBy: "id", Start: -1}, "start"},
		{"a negative length", Query{OrderBy: "id", Length: -1}, "length"},
	} {
		var bad *Error
		if _, err := Rows(s, c.q); !errors.As(err, &bad) || bad.Param != c.param || bad.Reason == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestParseOrder(t *testing.T) {
	for _, c := range []struct {
		field, dir string
		desc       bool
		param      string
	}{
		{"orig_src", "ASC", false, ""},
		{"byte_rate", "desc", true, ""},
		{"key", "a", false, ""},
		{"proto", "D", true, ""},
		{"", "ASC", false, "order_by"},
		{"Orig_Src", "ASC", false, "order_by"},
		{"port", "ASC", false, "order_by"},
		{"id; drop", "ASC", false, "order_by"},
		{strings.Repeat("x", 10000), "ASC", false, "order_by"},
		{"id", "", false, "order_dir"},
		{"id", "ASCENDING", false, "order_dir"},
		{"id", "up\x00", false, "order_dir"},
	} {
		field, desc, err := ParseOrder(c.field, c.dir)
		var bad *Error
		switch {
		case c.param == "" && (err != nil || field != c.field || desc != c.desc):
			t.Errorf("%.20s %s: %s %v %v", c.field, c.dir, field, desc, err)
		case c.param != "" && (!errors.As(err, &bad) || bad.Param != c.param || len(err.Error()) > 200):
			t.Errorf("%.20s %s: %v", c.field, c.dir, err)
		}
	}
}

// TestAnswersAreKept asks the same again, and many things at once.
func TestAnswersAreKept(t *testing.T) {
	s := randomRows(t, 20000, 4)
	q := Query{OrderBy: "mark", Start: 100, Length: 50}
	first, err := Rows(s, q)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Rows(s, q); &again.Rows[0] != &first.Rows[0] {
		t.Error("the same page was sorted twice")
	}
	var callers sync.WaitGroup
	for i := range 64 {
		callers.Go(func() {
			other := Query{OrderBy: []string{"id", "proto", "state", "zone", "use"}[i%5], Start: i * 100, Length: 500}
			if page, err := Rows(s, other); err != nil || len(page.Rows) != 500 {
				t.Errorf("caller %d: %d rows, %v", i, len(page.Rows), err)
			}
			if page, err := Rows(s, q); err != nil || !slices.Equal(page.Rows, first.Rows) {
				t.Errorf("caller %d: another answer than the first, %v", i, err)
			}
		})
	}
	callers.Wait()
	for i := range 3 * keptFilters {
		if _, err := Rows(s, Query{OrderBy: "id", Length: 9, Filter: compiled(t, map[string]table.Operand{"mark": i})}); err != nil {
			t.Fatal(err)
		}
	}
	if f, o := len(keptOf(s).filters), len(keptOf(s).orders); f != keptFilters || o != keptOrders {
		t.Errorf("%d filters and %d orders are kept", f, o)
	}
	for start := 0; start < s.Len(); start += 50 {
		if _, err := Rows(s, Query{OrderBy: "mark", Start: start, Length: 50}); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range keptOf(s).orders {
		if o.rows > s.Len() {
			t.Errorf("%d rows of %d are kept of one order", o.rows, s.Len())
		}
	}
}

func TestKeptAnswersAreOfTheFilterAsked(t *testing.T) {
	s := fewRows(t)
	for _, members := range []map[string]table.Operand{
		{"mark": 0}, {"mark": "!0"}, {"mark": "0x12"}, {"orig_port_dst": []any{"22", "53"}}, {"orig_port_dst": []any{22}},
		{"proto": "tcp"}, {"proto": "tcp", "port": 22}, {"helper": "sip"}, {"helper": `sip";"`},
	} {
		f := compiled(t, members)
		for range 2 {
			page, err := Rows(s, Query{Filter: f, OrderBy: "id", Length: 9})
			if err != nil || page.Total != len(f.Rows(s)) || len(page.Rows) != page.Total {
				t.Errorf("%v: %v, %v", members, page, err)
			}
		}
	}
}
