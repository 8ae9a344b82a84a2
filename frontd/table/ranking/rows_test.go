// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// manyRows is from how many rows on more than one processor is used.
const manyRows = 1 << 16

// read makes a table of these connections, in which marks have a meaning.
func read(tb testing.TB, all []helpertest.Connection) *table.Snapshot {
	tb.Helper()
	var h helpertest.Helper
	h.Add(all...)
	users := table.NewUsers(map[uint32]string{0: "root", 1: "zoe", 2: "ann", 3: "ann", 900: "nobody"})
	s, err := table.Read(tb.Context(), &h, table.ReadConfig{
		Name: "test", Seed: maphash.MakeSeed(),
		Meaning: table.NewMeaning(0x1c, users, []table.Class{{Name: "voice", Value: 0x40, Mask: 0xc0}, {Name: "bulk", Value: 0x80, Mask: 0x80}}),
	})
	if err != nil || s.Len() != len(all) {
		tb.Fatalf("%d of %d connections, %v", s.Len(), len(all), err)
	}
	return s
}

// fewRows are connections that a reader can keep in mind:
//
//	0 TCP  10.0.0.1:40000 → 192.0.2.1:22, mark 0x12
//	1 UDP  10.0.0.2:5353  → 10.9.9.9:53, helper sip, zone 7
//	2 ICMP 10.1.0.1 → 192.0.2.1
//	3 TCP  [2001:db8::1]:50000 → [2001:db8::2]:443
//	4 SCTP 10.0.0.1 → 10.0.0.3, no ports known, zone 9 of the original direction
func fewRows(tb testing.TB) *table.Snapshot {
	tb.Helper()
	tcp := helpertest.Port(6, 4000000001, "10.0.0.1:40000", "192.0.2.1:22")
	tcp.Mark = 0x12
	udp := helpertest.Port(17, 2, "10.0.0.2:5353", "10.9.9.9:53")
	udp.Helper, udp.Target.Orig.Zone, udp.Target.Reply.Zone = "sip", 7, 7
	ping := helpertest.Port(1, 3, "10.1.0.1:77", "192.0.2.1:2048")
	ping.Target.Orig.Kind, ping.Target.Reply.Kind = ipc.ICMP, ipc.ICMP
	ping.Target.Reply.SrcPort, ping.Target.Reply.DstPort = 77, 0
	six := helpertest.Port(6, 4, "[2001:db8::1]:50000", "[2001:db8::2]:443")
	sctp := helpertest.Port(132, 5, "10.0.0.1:0", "10.0.0.3:0")
	sctp.Target.Orig.Kind, sctp.Target.Reply.Kind, sctp.Target.Orig.Zone = ipc.NoPorts, ipc.NoPorts, 9
	return read(tb, []helpertest.Connection{tcp, udp, ping, six, sctp})
}

// randomRows makes rows out of few values, so that filters match, orders have ties, and
// ids stand for several connections. No two rows are the same connection.
func randomRows(tb testing.TB, n int, seed uint64) *table.Snapshot {
	return read(tb, randomConnections(n, seed))
}

func randomConnections(n int, seed uint64) []helpertest.Connection {
	rnd := rand.New(rand.NewPCG(seed, 1))
	now := time.Now()
	all := make([]helpertest.Connection, n)
	for i := range all {
		c := helpertest.Connection{
			Target: randomTarget(rnd, i), Status: rnd.Uint32N(1 << 16), Timeout: rnd.Uint32N(1000), Mark: rnd.Uint32N(256),
			TCPState: uint8(rnd.IntN(11)), OrigBytes: rnd.Uint64N(5000), ReplyBytes: rnd.Uint64N(5000), Uncounted: rnd.IntN(4) == 0,
			Helper: []string{"", "", "sip", "ftp"}[rnd.IntN(4)],
		}
		if rnd.IntN(4) == 0 {
			c.ReplyBytes = rnd.Uint64() >> rnd.IntN(64)
		}
		if rnd.IntN(3) > 0 { // so that there is a rate
			c.Start = now.Add(-time.Duration(1+rnd.IntN(5)) * time.Second)
		}
		all[i] = c
	}
	return all
}

// randomTarget makes the i-th connection unique by where its answers go.
func randomTarget(rnd *rand.Rand, i int) ipc.Target {
	t := ipc.Target{Family: ipc.FamilyIPv4, Protocol: []uint8{6, 6, 6, 17, 1, 132}[rnd.IntN(6)], ID: rnd.Uint32N(uint32(i/3 + 1))}
	address := func() netip.Addr { return netip.AddrFrom4([4]byte{10, byte(rnd.IntN(3)), 0, byte(rnd.IntN(16))}) }
	var unique [16]byte
	binary.BigEndian.PutUint32(unique[:], 0xac100000+uint32(i))
	last := netip.AddrFrom4([4]byte(unique[:4]))
	if rnd.IntN(3) == 0 {
		t.Family = ipc.FamilyIPv6
		address = func() netip.Addr {
			return netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 2: 0xd, 3: 0xb8, 7: byte(rnd.IntN(2)), 15: byte(rnd.IntN(8))})
		}
		last = netip.AddrFrom16(unique)
	}
	t.Orig = ipc.Tuple{Src: address(), Dst: address()}
	t.Reply = ipc.Tuple{Src: address(), Dst: last}
	for _, u := range []*ipc.Tuple{&t.Orig, &t.Reply} {
		switch t.Protocol {
		case 6, 17:
			u.Kind = ipc.Ports
		case 1:
			u.Kind = ipc.ICMP
		default:
			continue
		}
		port := func() uint16 { return uint16([]int{22, 80, 443, 0x0800, 1024 + rnd.IntN(50)}[rnd.IntN(5)]) }
		u.SrcPort, u.DstPort = port(), port()
	}
	if rnd.IntN(4) == 0 {
		t.Orig.Zone, t.Reply.Zone = uint16(rnd.IntN(4)), uint16(rnd.IntN(4))
	}
	return t
}

// scopeOf reads a scope as the configuration has it.
func scopeOf(t *testing.T, lines string) *policy.Scope {
	t.Helper()
	root := strict.Read([]byte("[roles.r]\nbase = 'viewer'\n"+lines), "f.toml")
	role, ok := policy.ReadRoles(root).Named("r")
	if !ok {
		t.Fatalf("%v\n%s", root.Err(), lines)
	}
	return role.Scope()
}

// benchRows is the size of table that the budgets are for.
const benchRows = 1000000

var benchTables struct {
	million, even sync.Once
	ofMillion     *table.Snapshot
	ofEven        *table.Snapshot
}

// millionRows is the same table for all benchmarks, with ids as the kernel gives them.
func millionRows(b *testing.B) *table.Snapshot {
	benchTables.million.Do(func() {
		all := randomConnections(benchRows, 99)
		rnd := rand.New(rand.NewPCG(9, 9))
		for i := range all {
			t := &all[i].Target
			t.ID = rnd.Uint32()
			if t.Family == ipc.FamilyIPv4 {
				for _, a := range []*netip.Addr{&t.Orig.Src, &t.Orig.Dst, &t.Reply.Src, &t.Reply.Dst} {
					*a = netip.AddrFrom4([4]byte{10, byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32())})
				}
			}
		}
		benchTables.ofMillion = read(b, all)
	})
	return benchTables.ofMillion
}

// evenRows is a table that a benchmark has filled: all of it TCP to one server, with
// counters of zero, so that orders have next to nothing but ties.
func evenRows(b *testing.B) *table.Snapshot {
	benchTables.even.Do(func() {
		rnd := rand.New(rand.NewPCG(8, 8))
		all := make([]helpertest.Connection, benchRows)
		for i := range all {
			all[i] = helpertest.Port(6, rnd.Uint32(), fmt.Sprintf("10.%d.%d.1:%d", byte(i>>18), byte(i>>10), 10000+i%50000), "192.0.2.1:443")
			all[i].Timeout, all[i].Start = uint32(3590+i/200000), time.Now().Add(-time.Hour)
		}
		benchTables.ofEven = read(b, all)
	})
	return benchTables.ofEven
}
