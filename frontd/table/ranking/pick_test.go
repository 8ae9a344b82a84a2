// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"math/rand/v2"
	"slices"
	"testing"

	"nuconntrack/frontd/table"
)

// arrangements are orders in which rows may come, the worst for choosing pivots among them.
func arrangements(n int) map[string][]uint64 {
	all := map[string][]uint64{}
	for name, key := range map[string]func(i int) uint64{
		"upwards":    func(i int) uint64 { return uint64(i) },
		"downwards":  func(i int) uint64 { return uint64(n - i) },
		"organ pipe": func(i int) uint64 { return uint64(min(i, n-i)) },
		"saw":        func(i int) uint64 { return uint64(i % 7) },
		"one key":    func(int) uint64 { return 5 },
		"chance":     func(int) uint64 { return rand.Uint64N(uint64(n)) },
		// Every median of three is next to the least there is.
		"killer": func(i int) uint64 {
			if i < n/2 {
				return uint64(i&^1 + i&1*(n/2+i))
			}
			return uint64(2 * (i - n/2))
		},
	} {
		keys := make([]uint64, n)
		for i := range keys {
			keys[i] = key(i)
		}
		all[name] = keys
	}
	return all
}

func TestPickAndSort(t *testing.T) {
	s := randomRows(t, 3*sortAsOne, 1)
	o := newOrdering(s, mustField(t, "id"), false)
	for _, n := range []int{1, 2, 3, pickSort + 1, 1000, 3 * sortAsOne} {
		for name, keys := range arrangements(n) {
			rows := make([]ranked, n)
			for i, key := range keys {
				rows[i] = ranked{key: key, id: s.IDs()[i], row: int32(i), last: key == 3}
			}
			want := slices.SortedFunc(slices.Values(rows), o.compare)
			for _, place := range []int{0, n / 3, n / 2, n - 1} {
				got := slices.Clone(rows)
				if e := o.pick(got, place); *e != want[place] || got[place] != want[place] {
					t.Errorf("%s: place %d of %d holds %v, want %v", name, place, n, got[place], want[place])
				}
				for i, e := range got {
					if i < place && o.compare(e, want[place]) >= 0 || i > place && o.compare(e, want[place]) <= 0 {
						t.Fatalf("%s: row %d is on the wrong side of place %d of %d", name, i, place, n)
					}
				}
			}
			if o.sort(rows); !slices.Equal(rows, want) {
				t.Errorf("%s: %d rows are not in order", name, n)
			}
		}
	}
}

func mustField(t *testing.T, name string) table.Field {
	t.Helper()
	f, ok := table.FieldNamed(name)
	if !ok {
		t.Fatal(name)
	}
	return f
}

// TestPlacesOutsideOfBounds compares what the places say with what comparing in full says.
func TestPlacesOutsideOfBounds(t *testing.T) {
	s := randomRows(t, 5000, 3)
	for _, name := range []string{"orig_src", "repl_ipv6_src", "byte_rate", "zone", "key", "assured"} {
		for _, desc := range []bool{false, true} {
			o := newOrdering(s, mustField(t, name), desc)
			b := new(table.Block)
			for range 200 {
				lo, hi := o.ranked(b, rand.Int32N(5000)), o.ranked(b, rand.Int32N(5000))
				if o.compare(lo, hi) > 0 {
					lo, hi = hi, lo
				}
				in := []bounds{{&lo, &hi}, {nil, &hi}, {&lo, nil}, {}}[rand.IntN(4)]
				for range 50 {
					e := o.ranked(b, rand.Int32N(5000))
					below, above := o.limits(in, e.last).outside([]uint64{e.key}, []uint32{e.id}, 0)
					if below == 1 && (in.lo == nil || o.compare(e, *in.lo) >= 0) {
						t.Fatalf("%s desc=%v: %v is not below %v", name, desc, e, in.lo)
					}
					if above == 1 && (in.hi == nil || o.compare(e, *in.hi) <= 0) {
						t.Fatalf("%s desc=%v: %v is not above %v", name, desc, e, in.hi)
					}
				}
			}
		}
	}
}
