// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// benchRows is the size of table that the budgets are for.
const benchRows = 1000000

// millionRows is the same table for all benchmarks of queries, with ids as the kernel
// gives them.
var millionRows = sync.OnceValue(func() *Snapshot {
	s := randomRows(benchRows, 99)
	rnd := rand.New(rand.NewPCG(9, 9))
	for i := range s.id {
		s.id[i] = rnd.Uint32()
		for side := range s.addr {
			if s.family[i] == 2 {
				s.addr[side][i] = 10<<24 | rnd.Uint32()>>8
			}
		}
	}
	return s
})

func benchPage(b *testing.B, members map[string]Operand, q Query) {
	s := millionRows()
	f, err := CompileFilter(members)
	if err != nil {
		b.Fatal(err)
	}
	q.Filter = f
	b.ReportAllocs()
	for b.Loop() {
		s.kept.filters, s.kept.orders = nil, nil // what is measured is the first answer
		if _, err := s.Page(q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	values := make([]any, MaxAlternatives)
	for i := range values {
		values[i] = int64(10<<24 + i*800)
	}
	narrow := map[string]Operand{"address": "10.1.0.0/16", "port": 443}
	for _, c := range []struct {
		name    string
		members map[string]Operand
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
		{"tcpAssuredRate", map[string]Operand{"proto": "tcp", "assured": true, "state": "!established"}, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"totals", narrow, Query{OrderBy: "orig_src"}},
		{"20000addresses", map[string]Operand{"address": values}, Query{OrderBy: "orig_src", Length: 30}},
	} {
		b.Run(c.name, func(b *testing.B) { benchPage(b, c.members, c.q) })
	}
}

// BenchmarkPageAgain asks what was asked before.
func BenchmarkPageAgain(b *testing.B) {
	s := millionRows()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Page(Query{OrderBy: "byte_rate", Desc: true, Start: 300000, Length: 30}); err != nil {
			b.Fatal(err)
		}
	}
}
