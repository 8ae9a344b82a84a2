// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// The index finds every row and nothing else, whatever order and however full.
func TestIndexAgainstMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 5, 6, 7, 500, 5000} {
		want := make(map[ipc.Target]int32)
		var data msg
		var row int32
		for range n {
			// Few addresses, ports and ids: many targets differ in one thing only.
			u := target([]uint8{6, 17, protoICMP, 99}[rnd.IntN(4)], "192.0.2.1", "192.0.2.2", rnd.IntN(40))
			u.ID = uint32(rnd.IntN(3))
			if rnd.IntN(2) == 0 {
				u.Orig.Zone = uint16(rnd.IntN(3))
				u.Reply.Zone = u.Orig.Zone
			}
			data = append(data, conn(u)...)
			if _, ok := want[u]; !ok {
				want[u] = row
				row++
			}
		}
		s := build(t, data)
		if s.Len() != len(want) || s.Repeated() != n-len(want) {
			t.Fatalf("%d of %d rows, %d repeated; want %d", s.Len(), n, s.Repeated(), len(want))
		}
		for u, row := range want {
			if got, ok := s.FindTarget(u); !ok || got != row || s.Target(row) != u || s.Key(row) != ident.EncodeKey(u) {
				t.Errorf("%+v is in row %d, %t; want %d", u, got, ok, row)
			}
			u.ID += 3
			if got, ok := s.FindTarget(u); ok {
				t.Errorf("%+v found in row %d", u, got)
			}
		}
	}
}

func TestFindTargetInEmptySnapshot(t *testing.T) {
	if _, ok := new(Snapshot).FindTarget(target(6, "192.0.2.1", "192.0.2.2", 1)); ok {
		t.Error("found in the zero snapshot")
	}
}

func TestFindIDs(t *testing.T) {
	a, b, c := target(6, "192.0.2.1", "192.0.2.2", 1), target(6, "192.0.2.1", "192.0.2.2", 2), target(6, "192.0.2.1", "192.0.2.2", 3)
	a.ID, b.ID, c.ID = 5, 5, 6
	s := build(t, conn(a), conn(b), conn(c), packet(ipc.FamilyIPv4, tuples(target(17, "192.0.2.1", "192.0.2.2", 4))))
	many := map[uint32]int{5: 2, 6: 1, 7: 0, 0: 0, 5 + 1<<16: 0, 5 + 64: 0}
	got := s.FindIDs(slices.Collect(maps.Keys(many)))
	for id, want := range many {
		if one := s.FindIDs([]uint32{id, id}); len(one) != 1 || len(one[id]) != want || !slices.Equal(one[id], got[id]) {
			t.Errorf("id %d: rows %v, among others %v, want %d of them", id, one, got[id], want)
		}
	}
	if len(got) != len(many) || len(s.FindIDs(nil)) != 0 {
		t.Errorf("found %v", got)
	}
}
