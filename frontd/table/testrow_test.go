// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"nuconntrack/ipc"
)

// fill indexes rows that a test wrote with put and gives them a time.
func fill(rows []record, names []string) *Snapshot {
	s := &Snapshot{name: "test", taken: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}
	s.resize(len(rows))
	s.names = names
	for i := range rows {
		s.put(i, &rows[i])
	}
	s.byTarget = newIndex(maphash.MakeSeed(), len(rows))
	s.reindex(len(rows), len(rows))
	return s
}

func raw(tb testing.TB, addr string) (b [16]byte) {
	tb.Helper()
	a, err := netip.ParseAddr(addr)
	if err != nil {
		tb.Fatal(err)
	}
	copy(b[:], a.AsSlice())
	return b
}

// randomRows makes rows out of few values, so that filters match, orders have ties, and
// ids stand for several connections. No two rows are the same connection.
func randomRows(n int, seed uint64) *Snapshot {
	rnd := rand.New(rand.NewPCG(seed, 1))
	names := []string{"sip", "ftp", "0x8001", "0x1", "system_u:object_r:a_t:s0"}
	rows := make([]record, n)
	for i := range rows {
		rows[i] = randomRecord(rnd, i)
	}
	s := fill(rows, names)
	s.meaning = testMeaning()
	for i := range rows {
		if rnd.IntN(3) > 0 {
			s.has[i] |= hasOrigRate
			s.rate[0][i] = rnd.Uint64N(20) * 1000
		}
		if rnd.IntN(3) > 0 {
			s.has[i] |= hasReplRate
			s.rate[1][i] = rnd.Uint64() >> rnd.IntN(64)
		}
	}
	return s
}

// testMeaning fits the marks of randomRecord, below 256: three bits have a user, of whom some
// have names, two of them the same.
func testMeaning() *Meaning {
	return NewMeaning(0x1c, NewUsers(map[uint32]string{0: "root", 1: "zoe", 2: "ann", 3: "ann", 900: "nobody"}),
		[]Class{{"voice", 0x40, 0xc0}, {"bulk", 0x80, 0x80}, {"any of low", 1, 1}, {"never", 0x100, 0x100}})
}

func randomRecord(rnd *rand.Rand, i int) record {
	var e record
	maybe := func(bits uint32) {
		if rnd.IntN(4) > 0 {
			e.has |= bits
		}
	}
	e.Family, e.ID = ipc.FamilyIPv4, rnd.Uint32N(uint32(i/3+1))
	e.has = hasID | hasStatus
	if rnd.IntN(3) == 0 {
		e.Family = ipc.FamilyIPv6
	}
	for side := range e.Addr {
		if e.Family == ipc.FamilyIPv6 {
			e.Addr[side] = [16]byte{0: 0x20, 1: 1, 2: 0xd, 3: 0xb8, 7: byte(rnd.IntN(2)), 15: byte(rnd.IntN(8))}
		} else {
			e.Addr[side] = [16]byte{10, byte(rnd.IntN(3)), 0, byte(rnd.IntN(16))}
		}
	}
	binary.BigEndian.PutUint32(e.Addr[replDst][:], 0xac100000+uint32(i)) // makes the connection unique
	switch rnd.IntN(6) {
	case 0, 1, 2:
		e.Proto, e.Kind, e.state = 6, [2]ipc.PortKind{ipc.Ports, ipc.Ports}, uint8(rnd.IntN(11))
		e.has |= hasTCPState | hasOrigPorts | hasReplPorts
	case 3:
		e.Proto, e.Kind = 17, [2]ipc.PortKind{ipc.Ports, ipc.Ports}
		e.has |= hasOrigPorts | hasReplPorts
	case 4:
		e.Proto, e.Kind = 1, [2]ipc.PortKind{ipc.ICMP, ipc.ICMP}
		e.has |= hasOrigICMP | hasReplICMP
	case 5:
		e.Proto, e.state = 132, uint8(rnd.IntN(9))
		e.has |= hasSCTPState
	}
	if e.Kind[0] != ipc.NoPorts {
		for side := range e.Port {
			e.Port[side] = uint16([]int{22, 80, 443, 0x0800, 1024 + rnd.IntN(50)}[rnd.IntN(5)])
		}
	}
	maybe(hasTimeout | hasUse)
	maybe(hasMark)
	maybe(hasOrigCounters)
	maybe(hasReplCounters)
	maybe(hasStart)
	maybe([]uint32{hasHelper, hasSecctx, hasLabels, hasZone, hasOrigZone, hasReplZone, 0}[rnd.IntN(7)])
	if e.has&(hasZone|hasOrigZone|hasReplZone) != 0 {
		e.Zone[0] = uint16(rnd.IntN(4))
		e.Zone[1] = uint16(rnd.IntN(4))
	}
	e.status, e.timeout, e.mark, e.use = rnd.Uint32N(1<<16), rnd.Uint32N(1000), rnd.Uint32N(256), 1+rnd.Uint32N(2)
	for place := range e.counter {
		e.counter[place] = rnd.Uint64N(5000)
	}
	e.start = uint64(time.Date(2026, 1, 2, 3, 0, rnd.IntN(300), rnd.IntN(1e9), time.UTC).UnixNano())
	e.helper, e.labels, e.secctx = uint16(rnd.IntN(2)), uint16(2+rnd.IntN(2)), 4
	return e
}
