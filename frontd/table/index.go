// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"hash/maphash"
	"math/bits"

	"nuconntrack/frontd/table/ident"
)

// Slot is a place of a hash table, 0 when it is empty: it holds a row, or another number below
// MaxRows, plus one in its low bits, and the highest bits of the hash above, so that a search
// hardly ever reads what stands in a row that is not the one it wants.
type Slot uint32

const (
	slotRowBits = 23
	slotRowMask = 1<<slotRowBits - 1
)

// MaxRows is how many connections a snapshot holds at most. It comes from the size of a
// slot of the index; the largest nf_conntrack_max in use is far below.
const MaxRows = slotRowMask - 1

// index finds a row by its ident: open addressing with linear probing, at most three
// quarters full. The zero value is empty and finds nothing. Its seed is secret: strangers
// choose addresses and ports, and must not be able to choose collisions.
type index struct {
	seed  maphash.Seed
	slots []Slot
}

// newIndex makes an index for n rows.
func newIndex(seed maphash.Seed, n int) index {
	return index{seed: seed, slots: make([]Slot, 1<<bits.Len(uint(max(8, n*4/3))))}
}

// room says how many rows fit.
func (x *index) room() int { return len(x.slots) / 4 * 3 }

func (x *index) hash(n *ident.Ident) uint64 {
	if x.slots == nil {
		return 0
	}
	var packed [ident.MaxPacked]byte
	return maphash.Bytes(x.seed, n.Pack(packed[:0]))
}

// touch reads the slots that the hashes begin at, so that the processor waits for the
// memory of many at once, where the searches would wait for one after the other: more
// than half of their time. What it returns has no meaning but to be used.
func (x *index) touch(hashes []uint64) (sum uint32) {
	last := uint64(len(x.slots) - 1)
	for _, h := range hashes {
		sum |= uint32(x.slots[h&last])
	}
	return sum
}

// SlotOf is the slot of a row whose hash is h.
func SlotOf(h uint64, row int32) Slot {
	return Slot(uint32(h>>32)&^slotRowMask | uint32(row+1))
}

// Row is what the slot holds, -1 when it is empty.
func (x Slot) Row() int32 { return int32(x&slotRowMask) - 1 }

// Fits says that what the slot holds may have this hash.
func (x Slot) Fits(h uint64) bool { return (uint32(x)^uint32(h>>32))&^slotRowMask == 0 }

// find looks for the ident, whose hash is h.
func (c *columns) find(h uint64, n *ident.Ident) (int32, bool) {
	if c.byTarget.slots == nil {
		return 0, false
	}
	row := c.byTarget.slots[c.search(h, n)].Row()
	return row, row >= 0
}

// search gives the place of the slot of the ident, or of the empty one where it belongs.
func (c *columns) search(h uint64, n *ident.Ident) uint64 {
	slots := c.byTarget.slots
	last := uint64(len(slots) - 1)
	for at := h & last; ; at = (at + 1) & last {
		slot := slots[at]
		if slot == 0 {
			return at
		}
		if slot.Fits(h) && c.is(slot.Row(), n) {
			return at
		}
	}
}

// is says whether the row has this ident. The id alone nearly always tells.
func (c *columns) is(row int32, n *ident.Ident) bool {
	return c.id[row] == n.ID && c.ident(row) == *n
}

// reindex makes room for n rows and puts the first used ones in again.
func (c *columns) reindex(n, used int) {
	c.byTarget = newIndex(c.byTarget.seed, n)
	for row := range int32(used) {
		id := c.ident(row)
		h := c.byTarget.hash(&id)
		c.byTarget.slots[c.search(h, &id)] = SlotOf(h, row)
	}
}
