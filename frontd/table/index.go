// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"hash/maphash"
	"math/bits"
)

// A slot of the index holds a row plus one in its low bits, 0 when it is empty, and the
// highest bits of the hash above, so that a search hardly ever reads the columns of a row
// that is not the one it wants.
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
	slots []uint32
}

// newIndex makes an index for n rows.
func newIndex(seed maphash.Seed, n int) index {
	return index{seed: seed, slots: make([]uint32, 1<<bits.Len(uint(max(8, n*4/3))))}
}

// room says how many rows fit.
func (x *index) room() int { return len(x.slots) / 4 * 3 }

func (x *index) hash(n *ident) uint64 {
	if x.slots == nil {
		return 0
	}
	var packed [maxPacked]byte
	return maphash.Bytes(x.seed, n.pack(packed[:0]))
}

// touch reads the slots that the hashes begin at, so that the processor waits for the
// memory of many at once, where the searches would wait for one after the other: more
// than half of their time. What it returns has no meaning but to be used.
func (x *index) touch(hashes []uint64) (sum uint32) {
	last := uint64(len(x.slots) - 1)
	for _, h := range hashes {
		sum |= x.slots[h&last]
	}
	return sum
}

func slotOf(h uint64, row int32) uint32 {
	return uint32(h>>32)&^slotRowMask | uint32(row+1)
}

// find looks for the ident, whose hash is h.
func (c *columns) find(h uint64, n *ident) (int32, bool) {
	if c.byTarget.slots == nil {
		return 0, false
	}
	at := c.search(h, n)
	row := int32(c.byTarget.slots[at]&slotRowMask) - 1
	return row, row >= 0
}

// search gives the place of the slot of the ident, or of the empty one where it belongs.
func (c *columns) search(h uint64, n *ident) uint64 {
	slots := c.byTarget.slots
	last := uint64(len(slots) - 1)
	for at := h & last; ; at = (at + 1) & last {
		slot := slots[at]
		if slot == 0 {
			return at
		}
		if (slot^uint32(h>>32))&^slotRowMask == 0 {
			if row := int32(slot&slotRowMask) - 1; c.is(row, n) {
				return at
			}
		}
	}
}

// is says whether the row has this ident. The id alone nearly always tells.
func (c *columns) is(row int32, n *ident) bool {
	return c.id[row] == n.id && c.ident(row) == *n
}

// reindex makes room for n rows and puts the first used ones in again.
func (c *columns) reindex(n, used int) {
	c.byTarget = newIndex(c.byTarget.seed, n)
	for row := range int32(used) {
		id := c.ident(row)
		h := c.byTarget.hash(&id)
		c.byTarget.slots[c.search(h, &id)] = slotOf(h, row)
	}
}
