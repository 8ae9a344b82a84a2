// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"nuconntrack/frontd/table"
)

// groupTable finds groups by their values: open addressing with linear probing, at most
// three quarters full. A value is what the field's loader loads, and for IPv6, of which that
// is only a part, the address of the first row that has it. The hash is seeded: strangers
// choose addresses, and must not be able to choose collisions.
type groupTable struct {
	s      *table.Snapshot
	field  table.Field
	isAddr bool
	seed   maphash.Seed // secret
	slots  []table.Slot // of groups
	rows   int          // counted
	expect int          // how many rows there will be, about

	// by group
	vals   []uint64
	reps   []int32 // the first row
	counts []int32
	// what decides the order; empty where that is no sum
	summed bool
	sums   []uint64
	known  []bool // whether any row has it
}

const (
	// firstSlots is the size of a table that holds nothing yet.
	firstSlots = 256
	// manyGroups is from how many groups on they tell how many there will be.
	manyGroups = 1 << 12
)

// newGroupTable makes a table for about so many rows.
func newGroupTable(s *table.Snapshot, f table.Field, summed bool, expect int) *groupTable {
	t := &groupTable{s: s, field: f, isAddr: f.IsAddress(), seed: maphash.MakeSeed(), summed: summed, expect: expect}
	t.resize(firstSlots)
	return t
}

// resize makes room in memory of the right size: doubling slices would leave a third unused.
func (t *groupTable) resize(slots int) {
	t.slots = make([]table.Slot, slots)
	most := slots/4*3 + 1
	t.vals, t.reps, t.counts = withRoom(t.vals, most), withRoom(t.reps, most), withRoom(t.counts, most)
	if t.summed {
		t.sums, t.known = withRoom(t.sums, most), withRoom(t.known, most)
	}
}

func withRoom[T any](list []T, most int) []T {
	return append(make([]T, 0, most), list...)
}

// inFull says that the value is only a part of an IPv6 address.
func (t *groupTable) inFull(val uint64) bool { return t.isAddr && val&table.PrefixIPv6 != 0 }

func (t *groupTable) address(row int32) *[16]byte { return t.field.IPv6(t.s, row) }

func (t *groupTable) hash(val uint64, row int32) uint64 {
	if t.inFull(val) {
		return maphash.Bytes(t.seed, t.address(row)[:])
	}
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], val)
	return maphash.Bytes(t.seed, b[:])
}

// find gives the group of a row with this value, a new one if there is none.
func (t *groupTable) find(val uint64, row int32) int32 {
	h, last := t.hash(val, row), uint64(len(t.slots)-1)
	at := h & last
	for ; t.slots[at] != 0; at = (at + 1) & last {
		if !t.slots[at].Fits(h) {
			continue
		}
		g := t.slots[at].Row()
		if t.vals[g] == val && (!t.inFull(val) || *t.address(row) == *t.address(t.reps[g])) {
			return g
		}
	}
	g := int32(len(t.reps))
	t.slots[at] = table.SlotOf(h, g)
	t.vals, t.reps, t.counts = append(t.vals, val), append(t.reps, row), append(t.counts, 0)
	if t.summed {
		t.sums, t.known = append(t.sums, 0), append(t.known, false)
	}
	if len(t.reps) > len(t.slots)/4*3 {
		t.grow()
	}
	return g
}

func (t *groupTable) grow() {
	slots := 2 * len(t.slots)
	// Where every other row is a group of its own, more will be: go there at once.
	if len(t.reps) >= manyGroups && 2*len(t.reps) > t.rows {
		slots = max(slots, 1<<bits.Len(uint(t.expect*4/3)))
	}
	t.resize(slots)
	last := uint64(len(t.slots) - 1)
	for g, row := range t.reps {
		h := t.hash(t.vals[g], row)
		at := h & last
		for t.slots[at] != 0 {
			at = (at + 1) & last
		}
		t.slots[at] = table.SlotOf(h, int32(g))
	}
}

// count puts a row into its group.
func (t *groupTable) count(val uint64, row int32) int32 {
	g := t.find(val, row)
	t.counts[g]++
	t.rows++
	return g
}

// add adds to what decides the order of a group.
func (t *groupTable) add(g int32, v uint64) {
	t.sums[g], t.known[g] = table.SumAtMost(t.sums[g], v), true
}

// take adds the groups of another table, and gives their numbers in this one.
func (t *groupTable) take(other *groupTable) []int32 {
	in := make([]int32, len(other.reps))
	for g, row := range other.reps {
		own := t.find(other.vals[g], row)
		t.counts[own] += other.counts[g]
		if t.summed && other.known[g] {
			t.add(own, other.sums[g])
		}
		in[g] = own
	}
	return in
}

// rankedGroup is a group with what decides its place.
type rankedGroup struct {
	key   uint64 // inverted for descending
	last  bool   // the group lacks what is ordered by
	group int32
}

// choose gives the groups that a query asks for, in order.
func (found *foundGroups) choose(q GroupQuery) []int32 {
	t := found.all
	total := len(t.reps)
	if q.Start >= total || q.Length == 0 {
		return nil
	}
	end := q.Start + min(q.Length, total-q.Start)
	ranks := t.ranked(q)
	compare := func(a, b rankedGroup) int { return t.compare(a, b, q.OrderBy == OrderValue && q.Desc) }
	// What stands before the page and behind it need not be in order.
	selectRanks(ranks, q.Start, compare)
	selectRanks(ranks[q.Start:], end-q.Start, compare)
	page := ranks[q.Start:end]
	slices.SortFunc(page, compare)
	chosen := make([]int32, len(page))
	for i, r := range page {
		chosen[i] = r.group
	}
	return chosen
}

func (t *groupTable) ranked(q GroupQuery) []rankedGroup {
	flip := uint64(0)
	if q.Desc {
		flip = math.MaxUint64
	}
	ranks := make([]rankedGroup, len(t.reps))
	for g := range ranks {
		r := rankedGroup{group: int32(g)}
		switch {
		case q.OrderBy == OrderValue:
			r.key = t.vals[g] ^ flip
		case q.OrderBy == OrderConnections:
			r.key = uint64(t.counts[g]) ^ flip
		case t.summed && t.known[g]:
			r.key = t.sums[g] ^ flip
		default:
			r.last = true
		}
		ranks[g] = r
	}
	return ranks
}

// compare is a strict order of all groups: by what was asked for, then by value.
func (t *groupTable) compare(a, b rankedGroup, downwards bool) int {
	switch {
	case a.last != b.last:
		if a.last {
			return 1
		}
		return -1
	case a.key != b.key:
		return cmp.Compare(a.key, b.key)
	}
	c := cmp.Compare(t.vals[a.group], t.vals[b.group])
	if c == 0 && a.group != b.group {
		c = bytes.Compare(t.address(t.reps[a.group])[:], t.address(t.reps[b.group])[:])
	}
	if downwards {
		return -c
	}
	return c
}

// selectRanks moves the n that come first to the front, in any order. The pivots are
// chosen by chance: no input makes it slow.
func selectRanks(ranks []rankedGroup, n int, compare func(a, b rankedGroup) int) {
	for n > 0 && n < len(ranks) {
		pivot := ranks[rand.IntN(len(ranks))]
		i, j := 0, len(ranks)-1
		for i <= j {
			for compare(ranks[i], pivot) < 0 {
				i++
			}
			for compare(ranks[j], pivot) > 0 {
				j--
			}
			if i <= j {
				ranks[i], ranks[j] = ranks[j], ranks[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			ranks = ranks[:j+1]
		case n >= i:
			ranks, n = ranks[i:], n-i
		default:
			return
		}
	}
}
