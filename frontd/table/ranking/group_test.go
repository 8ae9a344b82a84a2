// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table"
)

// plainGroups is the plain reading of a query: a map of texts, filled row by row.
func plainGroups(s *table.Snapshot, q GroupQuery) (groups []Group, out Grouping) {
	by, _ := table.FieldNamed(q.By)
	all := make(map[string]*Group)
	for row := range int32(s.Len()) {
		if !q.Visible.Match(s, row) {
			continue
		}
		out.Count++
		if !q.Filter.Match(s, row) {
			continue
		}
		members := []*Totals{&out.All}
		if v, ok := by.Value(s, row); ok {
			if all[v.String()] == nil {
				all[v.String()] = &Group{Value: v}
			}
			members = append(members, &all[v.String()].Totals)
		} else {
			out.Without++
		}
		for _, t := range members {
			t.Connections++
			for _, n := range Sums() {
				f, _ := table.FieldNamed(n.String())
				if v, ok := f.Value(s, row); ok {
					t.known[n] = true
					if t.sums[n] += v.Num; t.sums[n] < v.Num {
						t.sums[n] = math.MaxUint64
					}
				}
			}
		}
	}
	for _, g := range all {
		groups = append(groups, *g)
	}
	out.Total = len(groups)
	slices.SortFunc(groups, func(a, b Group) int { return comparePlain(a, b, q) })
	return groups, out
}

func comparePlain(a, b Group, q GroupQuery) int {
	value := cmp.Or(a.Value.Addr.Compare(b.Value.Addr), strings.Compare(a.Value.Text, b.Value.Text), cmp.Compare(a.Value.Num, b.Value.Num))
	if q.By == "proto" || q.By == "state" {
		value = strings.Compare(a.Value.Text, b.Value.Text)
	}
	sign := 1
	if q.Desc {
		sign = -1
	}
	switch q.OrderBy {
	case OrderValue:
		return sign * value
	case OrderConnections:
		return cmp.Or(sign*cmp.Compare(a.Connections, b.Connections), value)
	}
	sum := func(g Group) (total uint64, known bool) {
		for _, n := range summedBy(q.OrderBy) {
			if v, ok := g.Sum(n); ok {
				total, known = table.SumAtMost(total, v), true
			}
		}
		return total, known
	}
	va, ka := sum(a)
	vb, kb := sum(b)
	if ka != kb {
		if ka {
			return -1
		}
		return 1
	}
	return cmp.Or(sign*cmp.Compare(va, vb), value)
}

// TestGroupsAgainstAMap asks random queries of random tables.
func TestGroupsAgainstAMap(t *testing.T) {
	var fields []string
	for _, f := range table.Fields() {
		if f.Groups() {
			fields = append(fields, f.Name)
		}
	}
	if len(fields) < 30 {
		t.Fatalf("only %d fields group", len(fields))
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	scopes := []*table.Filter{nil, table.ScopeFilter(scopeOf(t, "networks = ['10.1.0.0/16', '2001:db8:1::/48']")), table.ScopeFilter(scopeOf(t, "marks = ['1/3']"))}
	var filters []*table.Filter
	for _, text := range []string{"", "tcp", "not udp and byte_rate > 1", "src 10.0.0.0/8", "ip6", "src 172.16.0.0/12"} {
		members := map[string]table.Operand{}
		if text != "" {
			members["expr"] = text
		}
		f, err := table.CompileFilter(members)
		if err != nil {
			t.Fatal(err)
		}
		filters = append(filters, f)
	}
	snapshots := []*table.Snapshot{randomRows(t, 0, 1), randomRows(t, 1, 2), randomRows(t, 3000, 3), randomRows(t, manyRows+5000, 4)}
	for i := range 400 {
		s := snapshots[min(i%40, 3)] // the largest most of the time costs too much
		if i%40 > 3 {
			s = snapshots[2]
		}
		q := GroupQuery{By: fields[i%len(fields)], Filter: filters[rnd.IntN(len(filters))], Visible: scopes[rnd.IntN(len(scopes))],
			OrderBy: GroupOrders()[rnd.IntN(len(GroupOrders()))], Desc: rnd.IntN(2) == 0, Start: rnd.IntN(6), Length: rnd.IntN(40)}
		groups, want := plainGroups(s, q)
		want.Groups = groups[min(q.Start, len(groups)):min(q.Start+q.Length, len(groups))]
		got, err := Groups(s, q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if d := groupingDiffers(got, want); d != "" {
			t.Fatalf("%d rows, %+v (filter %q): %s", s.Len(), q, q.Filter.Expr(), d)
		}
	}
}

func groupingDiffers(got, want Grouping) string {
	if got.Total != want.Total || got.Without != want.Without || got.Count != want.Count || got.All != want.All {
		return fmt.Sprintf("%d groups, %d without, %d visible, all %+v; want %d, %d, %d, %+v",
			got.Total, got.Without, got.Count, got.All, want.Total, want.Without, want.Count, want.All)
	}
	if !slices.Equal(got.Groups, want.Groups) {
		return fmt.Sprintf("groups\n%+v, want\n%+v", got.Groups, want.Groups)
	}
	return ""
}

// Every group is on exactly one page, however many there are.
func TestGroupPages(t *testing.T) {
	s := randomRows(t, 20000, 8)
	for _, order := range GroupOrders() {
		seen := make(map[string]bool)
		q := GroupQuery{By: "repl_ipv4_dst", OrderBy: order, Desc: true, Length: 1999}
		var total int
		for ; ; q.Start += q.Length {
			g, err := Groups(s, q)
			if err != nil {
				t.Fatal(err)
			}
			if total = g.Total; len(g.Groups) == 0 {
				break
			}
			for _, x := range g.Groups {
				if seen[x.Value.String()] {
					t.Fatalf("by %s: %s is on two pages", order, x.Value)
				}
				seen[x.Value.String()] = true
			}
		}
		if len(seen) != total || total < 10000 {
			t.Errorf("by %s: %d groups on the pages, of %d", order, len(seen), total)
		}
	}
}

// A sum stays at the largest number, and what nobody knows is no zero.
func TestGroupSums(t *testing.T) {
	all := make([]helpertest.Connection, 4)
	for i := range all {
		all[i] = helpertest.Port(6, uint32(i+1), fmt.Sprintf("192.0.2.7:%d", i+1), "192.0.2.1:80")
		all[i].OrigBytes, all[i].Uncounted = math.MaxUint64-1, i == 0 || i == 3
	}
	s := read(t, all)
	g, err := Groups(s, GroupQuery{By: "orig_src", OrderBy: OrderBytes, Length: 5})
	if err != nil || len(g.Groups) != 1 || g.Groups[0].Connections != 4 {
		t.Fatalf("%+v, %v", g, err)
	}
	for _, totals := range []Totals{g.Groups[0].Totals, g.All} {
		if v, known := totals.Sum(SumOrigBytes); !known || v != math.MaxUint64 {
			t.Errorf("bytes %d, %t", v, known)
		}
		if v, known := totals.Sum(SumReplBytes); !known || v != 0 {
			t.Errorf("bytes of answers %d, %t", v, known)
		}
		if v, known := totals.Sum(SumOrigRate); known {
			t.Errorf("a rate that nobody knows: %d", v)
		}
	}
}

func TestGroupErrors(t *testing.T) {
	s := randomRows(t, 10, 1)
	good := GroupQuery{By: "proto", OrderBy: "value", Length: 1}
	tests := map[string]struct {
		change func(*GroupQuery)
		param  string
	}{
		"unknown field":   {func(q *GroupQuery) { q.By = "colour" }, "by"},
		"no field":        {func(q *GroupQuery) { q.By = "" }, "by"},
		"any address":     {func(q *GroupQuery) { q.By = "address" }, "by"},
		"key":             {func(q *GroupQuery) { q.By = "key" }, "by"},
		"id":              {func(q *GroupQuery) { q.By = "id" }, "by"},
		"counter":         {func(q *GroupQuery) { q.By = "orig_counter_bytes" }, "by"},
		"time":            {func(q *GroupQuery) { q.By = "start" }, "by"},
		"timeout":         {func(q *GroupQuery) { q.By = "timeout" }, "by"},
		"order by field":  {func(q *GroupQuery) { q.OrderBy = "proto" }, "order_by"},
		"no order":        {func(q *GroupQuery) { q.OrderBy = "" }, "order_by"},
		"negative start":  {func(q *GroupQuery) { q.Start = -1 }, "start"},
		"negative length": {func(q *GroupQuery) { q.Length = -1 }, "length"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			q := good
			test.change(&q)
			_, err := Groups(s, q)
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Param != test.param {
				t.Errorf("got %v, want an error of %s", err, test.param)
			}
		})
	}
	if _, _, err := ParseGroupOrder("bytes", "sideways"); err == nil {
		t.Error("a direction that is none")
	}
	if g, err := Groups(s, GroupQuery{By: "proto", OrderBy: "value", Start: 1000, Length: 5}); err != nil || len(g.Groups) != 0 || g.All.Connections != 10 {
		t.Errorf("behind the end: %+v, %v", g, err)
	}
	if g, err := Groups(s, GroupQuery{By: "proto", OrderBy: "value"}); err != nil || len(g.Groups) != 0 || g.Total == 0 {
		t.Errorf("length 0: %+v, %v", g, err)
	}
}

// TestGroupFieldListsWhatThereIs: what is not configured is no suggestion.
func TestGroupFieldListsWhatThereIs(t *testing.T) {
	for _, test := range []struct {
		marks          *table.Meaning
		users, classes bool
	}{
		{nil, false, false},
		{table.NewMeaning(0xff, nil, nil), true, false},
		{table.NewMeaning(0, nil, []table.Class{{Name: "a", Value: 1, Mask: 1}}), false, true},
	} {
		_, err := GroupField("timeout", test.marks)
		if err == nil || !strings.Contains(err.Error(), "orig_src") || strings.Contains(err.Error(), "username") != test.users ||
			strings.Contains(err.Error(), ", class,") != test.classes {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func BenchmarkGroup(b *testing.B) {
	for _, c := range []struct {
		name string
		q    GroupQuery
	}{
		{"proto", GroupQuery{By: "proto", OrderBy: OrderConnections, Desc: true, Length: 20}},
		{"port", GroupQuery{By: "orig_port_dst", OrderBy: "byte_rate", Desc: true, Length: 20}},
		{"mark", GroupQuery{By: "mark", OrderBy: OrderBytes, Desc: true, Length: 20}},
		{"manySources", GroupQuery{By: "orig_src", OrderBy: "byte_rate", Desc: true, Length: 20}},
		{"allDifferent", GroupQuery{By: "repl_ipv4_dst", OrderBy: OrderConnections, Length: 20}},
		{"allDifferentDeep", GroupQuery{By: "repl_ipv4_dst", OrderBy: OrderValue, Start: 300000, Length: 5000}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := millionRows(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Groups(s, c.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
