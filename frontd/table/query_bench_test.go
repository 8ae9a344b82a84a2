// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/rand/v2"
	"sync"
	"testing"

	"nuconntrack/ipc"
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

// evenRows is a table that a benchmark has filled: all of it TCP to one server, with
// counters of zero, so that orders have next to nothing but ties.
var evenRows = sync.OnceValue(func() *Snapshot {
	rnd := rand.New(rand.NewPCG(8, 8))
	rows := make([]record, benchRows)
	for i := range rows {
		e := &rows[i]
		e.family, e.proto, e.state, e.id = 2, 6, 3, rnd.Uint32()
		e.has = hasID | hasStatus | hasTCPState | hasOrigPorts | hasReplPorts | hasTimeout | hasOrigCounters | hasReplCounters
		e.kind = [2]ipc.PortKind{ipc.Ports, ipc.Ports}
		e.status, e.timeout = 0xe, uint32(3590+i/200000)
		client, server := [16]byte{10, byte(i >> 18), byte(i >> 10), 1}, [16]byte{192, 0, 2, 1}
		e.addr = [4][16]byte{client, server, server, client}
		e.port = [4]uint16{uint16(10000 + i%50000), 443, 443, uint16(10000 + i%50000)}
	}
	s := fill(rows, nil)
	for i := range s.has {
		s.has[i] |= hasOrigRate | hasReplRate
	}
	return s
})

func benchPage(b *testing.B, s *Snapshot, members map[string]Operand, q Query) {
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
		{"expressionRate", map[string]Operand{"expr": "proto tcp and dst 10.0.0.0/8 and dport 80,443 and not state established and rate > 100k"},
			Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"totals", narrow, Query{OrderBy: "orig_src"}},
		{"20000addresses", map[string]Operand{"address": values}, Query{OrderBy: "orig_src", Length: 30}},
	} {
		b.Run(c.name, func(b *testing.B) { benchPage(b, millionRows(), c.members, c.q) })
	}
}

func BenchmarkPageOfTies(b *testing.B) {
	terms := map[string]Operand{"expr": "proto tcp and src 10.0.0.0/16 and dport 80,443 and not sport 10007"}
	for _, c := range []struct {
		name    string
		members map[string]Operand
		q       Query
	}{
		{"rate", nil, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
		{"deepTimeout", nil, Query{OrderBy: "timeout", Desc: true, Start: 500000, Length: 30}},
		{"deepID", nil, Query{OrderBy: "id", Start: 500000, Length: 5000}},
		{"expressionRate", terms, Query{OrderBy: "byte_rate", Desc: true, Length: 30}},
	} {
		b.Run(c.name, func(b *testing.B) { benchPage(b, evenRows(), c.members, c.q) })
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

// BenchmarkPageHiding is a filter where loopback is hidden.
func BenchmarkPageHiding(b *testing.B) {
	hidden, err := HideFilter([]string{"127.0.0.0/8", "::1"})
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]Query{"nothing": {}, "loopback": {Visible: Except(nil, hidden)}} {
		q.OrderBy, q.Desc, q.Length = "byte_rate", true, 30
		b.Run(name, func(b *testing.B) { benchPage(b, millionRows(), map[string]Operand{"port": 443}, q) })
	}
}
