// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "nuconntrack/ipc"

// Columns are read in blocks that stay in the processor's first cache: one indirect call
// a block, and tight loops inside.
const (
	BlockRows  = 1024
	blockWords = BlockRows / 64
)

// Mask holds one bit a row of a block, the first row in the lowest bit of the first word.
type Mask [blockWords]uint64

// Block is one field of BlockRows rows at most. The numbers order as the field does; val
// is meaningless where the bit in has is not set.
type Block struct {
	Val [BlockRows]uint64
	Has Mask
}

// Loader fills a block with the rows from, from+1, … from+n-1 of the snapshot it was
// bound to. It may be used by several goroutines at once, each with its own block.
type Loader func(b *Block, from, n int)

// unsigned are the element types of the columns.
type unsigned interface {
	uint8 | uint16 | uint32 | uint64
}

// having says what rows have. Where each of 64 rows has what is needed, which is the
// ordinary case, one look tells.
type having struct {
	has []uint32 // of each row
	all []uint32 // what each of 64 rows has, from each multiple of 64 on
}

func newHaving(has []uint32) having {
	h := having{has, make([]uint32, (len(has)+63)/64)}
	for w := range h.all {
		all := ^uint32(0)
		for _, v := range has[w*64 : min(len(has), w*64+64)] {
			all &= v
		}
		h.all[w] = all
	}
	return h
}

// load sets the bits of the rows that have everything in need.
func (h *having) load(m *Mask, need uint32, from, n int) {
	*m = Mask{}
	for w := 0; w*64 < n; w++ {
		m[w] = h.word(need, from+w*64, min(n-w*64, 64))
	}
}

// word sets the bits of those of n rows, at most 64, that have everything in need. They
// may begin anywhere, but all in one word of the table is what is quick.
func (h *having) word(need uint32, from, n int) uint64 {
	if from%64 == 0 && need&^h.all[from/64] == 0 {
		return lowBits(n)
	}
	part := h.has[from : from+n]
	var lacking uint64
	for i := len(part) - 1; i >= 0; i-- {
		lacking += lacking + isSet(need&^part[i])
	}
	return ^lacking & lowBits(len(part))
}

// loadFamily sets the bits of the rows of one address family.
func loadFamily(m *Mask, families []uint8, family uint8, from, n int) {
	*m = Mask{}
	for w := 0; w*64 < n; w++ {
		m[w] = familyWord(families[from+w*64:from+min(n, w*64+64)], family)
	}
}

// familyWord sets the bits of those of at most 64 rows that are of the family.
func familyWord(part []uint8, family uint8) uint64 {
	var other uint64
	for i := len(part) - 1; i >= 0; i-- {
		other += other + isSet(uint32(part[i]^family))
	}
	return ^other & lowBits(len(part))
}

// NextRun finds the first words in a row, behind the place `after`, that have a bit set:
// first ≤ w < end. There is none when both are the number of words.
func NextRun(words []uint64, after int) (first, end int) {
	for first = after; first < len(words) && words[first] == 0; first++ {
	}
	for end = first; end < len(words) && words[end] != 0; end++ {
	}
	return first, end
}

// fillMask sets the first n bits and no others.
func fillMask(m *Mask, n int) {
	for w := range m {
		m[w] = lowBits(min(max(n-w*64, 0), 64))
	}
}

// lowBits has the lowest n of 64 bits set.
func lowBits(n int) uint64 { return 1<<n - 1 }

// isSet is 0 for 0, else 1, without a jump. Words are put together from the last row to
// the first, because doubling a word and adding a bit is quicker than shifting the bit.
func isSet(v uint32) uint64 { return -uint64(v) >> 63 }

// loadColumn copies a column.
func loadColumn[T unsigned](b *Block, col []T, from, n int) {
	for i, v := range col[from : from+n] {
		b.Val[i&(BlockRows-1)] = uint64(v)
	}
}

// PrefixIPv6 is the bit in what is loaded of an address that tells IPv6 from IPv4. Addresses of
// both families order by one number: IPv4 first, then IPv6 by its first
// 63 bits with the highest bit set. What is equal by that, and IPv6, is compared in full.
const PrefixIPv6 = 1 << 63

// loadAddrs fills the block with the prefixes of one of the four addresses, of all rows
// or of one family only.
func loadAddrs(b *Block, s *Snapshot, side int, family uint8, from, n int) {
	if family == 0 {
		fillMask(&b.Has, n)
	} else {
		loadFamily(&b.Has, s.family, family, from, n)
	}
	col, families := s.addr[side][from:from+n], s.family[from:from+n]
	for i, a := range col {
		v := uint64(a)
		if families[i] == ipc.FamilyIPv6 {
			hi, _ := s.addrWords(a)
			v = PrefixIPv6 | hi>>1
		}
		b.Val[i&(BlockRows-1)] = v
	}
}
