// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"testing"

	"nuconntrack/frontd/table"
)

func benchPage(b *testing.B, s *table.Snapshot, members map[string]table.Operand, q Query) {
	f, err := table.CompileFilter(members)
	if err != nil {
		b.Fatal(err)
	}
	q.Filter = f
	b.ReportAllocs()
	k := keptOf(s)
	for b.Loop() {
		k.filters, k.orders = nil, nil // what is measured is the first answer
		if _, err := Rows(s, q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	values := make([]any, table.MaxAlternatives)
	for i := range values {
		values[i] = int64(10<<24 + i*800)
	}
	narrow := map[string]table.Operand{"address": "10.1.0.0/16", "port": 443}
	for _, c := range []struct {
		name    string
		members map[string]table.Operand
		q       Query
	}{
		{"first", nil, Query{OrderBy: "orig_src", Length: 30}},
		{"first5000", nil, Query{OrderBy: "orig_src", Length: 5000}},
		{"rate", nil, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"ties", nil, Query{OrderBy: "proto", Start: 400000, Length: 30}},
		{"deep", nil, Query{OrderBy: "orig_src", Start: 500000, Length: 30}},
		{"deepRate", nil, Query{OrderBy: "byte_rate", Desc: true, Start: 300000, Length: 5000}},
		{"end", nil, Query{OrderBy: "orig_src", Start: 999000, Length: 30}},
		{"cidrPortRate", narrow, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"tcpAssuredRate", map[string]table.Operand{"proto": "tcp", "assured": true, "state": "!established"}, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"expressionRate", map[string]table.Operand{"expr": "proto tcp and dst 10.0.0.0/8 and dport 80,443 and not state established and rate > 100k"},
			Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"totals", narrow, Query{OrderBy: "orig_src"}},
		{"20000addresses", map[string]table.Operand{"address": values}, Query{OrderBy: "orig_src", Length: 30}},
	} {
		b.Run(c.name, func(b *testing.B) { benchPage(b, millionRows(b), c.members, c.q) })
	}
}

func BenchmarkPageOfTies(b *testing.B) {
	terms := map[string]table.Operand{"expr": "proto tcp and src 10.0.0.0/16 and dport 80,443 and not sport 10007"}
	for _, c := range []struct {
		name    string
		members map[string]table.Operand
		q       Query
	}{
		{"rate", nil, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"deepTimeout", nil, Query{OrderBy: "timeout", Desc: true, Start: 500000, Length: 30}},
		{"deepID", nil, Query{OrderBy: "id", Start: 500000, Length: 5000}},
		{"expressionRate", terms, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
	} {
		b.Run(c.name, func(b *testing.B) { benchPage(b, evenRows(b), c.members, c.q) })
	}
}

// BenchmarkPageAgain asks what was asked before.
func BenchmarkPageAgain(b *testing.B) {
	s := millionRows(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Rows(s, Query{OrderBy: "byte_rate", Desc: true, Start: 300000, Length: 30}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPageHiding is a filter where loopback is hidden.
func BenchmarkPageHiding(b *testing.B) {
	hidden, err := table.HideFilter([]string{"127.0.0.0/8", "::1"})
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]Query{"nothing": {}, "loopback": {Visible: table.Except(nil, hidden)}} {
		q.OrderBy, q.Desc, q.Length = "byte_rate", true, 30
		b.Run(name, func(b *testing.B) { benchPage(b, millionRows(b), map[string]table.Operand{"port": 443}, q) })
	}
}
