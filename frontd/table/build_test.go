// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"hash/maphash"
	"testing"
	"time"

	"nuconntrack/ipc"
)

// A dump that repeats connections, in one packet or later, shows each once, as it came
// first, and the rows around it stay right.
func TestBuildDropsRepeated(t *testing.T) {
	b := newBuilder(time.Now(), 0, nil, maphash.MakeSeed())
	const n = 1000
	for round := range 3 {
		var data msg
		for i := range n {
			host := "192.0.2.1"
			if i%3 == 0 {
				host = "2001:db8::1"
			}
			u := target(6, host, host, i)
			data = append(data, conn(u, attr32(ctaMark, uint32(i)))...)
			if i%5 == 0 {
				data = append(data, conn(u, attr32(ctaMark, uint32(round)+1<<20))...)
			}
		}
		if err := b.add(data, 0); err != nil {
			t.Fatal(err)
		}
	}
	s := b.finish("", ipc.DumpEnd{Interrupted: true}, 0)
	if s.Len() != n || s.Repeated() != 2*n+3*n/5 || !s.Interrupted() {
		t.Fatalf("%d rows, %d repeated, interrupted %t", s.Len(), s.Repeated(), s.Interrupted())
	}
	for row := range int32(n) {
		u := s.Target(row)
		if u.Orig.SrcPort != uint16(row) || s.mark[row] != uint32(row) || u.Check() != nil {
			t.Errorf("row %d: mark %d, %+v", row, s.mark[row], u)
		}
		if found, ok := s.FindTarget(u); !ok || found != row {
			t.Errorf("row %d is found in %d, %t", row, found, ok)
		}
	}
}

// The kernel's count is a hint: a table may be much larger or smaller.
func TestBuildWithWrongCount(t *testing.T) {
	for name, count := range map[string]uint32{"none": 0, "too few": 10, "right": 20000, "too many": 1 << 20} {
		const n = 20000
		b := newBuilder(time.Now(), count, nil, maphash.MakeSeed())
		for i := range n {
			host := []string{"192.0.2.1", "2001:db8::1"}[i%2]
			if err := b.add(conn(target(6, host, host, i)), 0); err != nil {
				t.Fatal(err)
			}
		}
		s := b.finish("", ipc.DumpEnd{}, 0)
		if s.Len() != n || len(s.addr6) != 4*n/2 {
			t.Fatalf("%s: %d rows, %d IPv6 addresses", name, s.Len(), len(s.addr6))
		}
		if room := cap(s.id); room > n*4/3+1 {
			t.Errorf("%s: room for %d rows kept", name, room)
		}
		for row := range int32(n) {
			if u := s.Target(row); u.Orig.SrcPort != uint16(row) {
				t.Fatalf("%s: row %d is %+v", name, row, u)
			}
		}
	}
	if b := newBuilder(time.Now(), 1<<32-1, nil, maphash.MakeSeed()); len(b.snap.has) > MaxRows {
		t.Errorf("room for %d rows", len(b.snap.has))
	}
}

func TestBuildCutsLargeTable(t *testing.T) {
	b := newBuilder(time.Now(), 0, nil, maphash.MakeSeed())
	b.limit = 3000
	for i := range 3001 {
		if b.snap.cut {
			t.Fatalf("cut before row %d", i)
		}
		if err := b.add(conn(target(6, "192.0.2.1", "192.0.2.2", i)), 0); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.finish("", ipc.DumpEnd{}, 0); s.Len() != 3000 || !s.Cut() {
		t.Errorf("%d rows, cut %t", s.Len(), s.Cut())
	}
}
