// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/bits"
	"slices"

	"nuconntrack/ipc"
)

// node is a question to rows. Questions form a tree: every, some and not above, tests of
// one field below.
type node interface {
	// bind resolves what depends on the snapshot, once for all its rows.
	bind(s *Snapshot) pass
	// match is the plain reading, for one row.
	match(s *Snapshot, row int32) bool
	// cost is roughly what one row costs, so that the dear tests see fewer rows.
	cost() int
}

// pass asks n rows from row from on. In m come the rows that are still of interest, and
// those of them that match stay. The block is the caller's scratch space.
type pass func(m *mask, b *block, from, n int)

func (m *mask) empty() bool { return *m == mask{} }

// every holds where all of its nodes do.
type every []node

func (nodes every) bind(s *Snapshot) pass {
	passes := bindAll(nodes, s)
	return func(m *mask, b *block, from, n int) {
		for _, run := range passes {
			if run(m, b, from, n); m.empty() {
				return
			}
		}
	}
}

func (nodes every) match(s *Snapshot, row int32) bool {
	return !slices.ContainsFunc(nodes, func(x node) bool { return !x.match(s, row) })
}

func (nodes every) cost() int { return costOf(nodes) }

// some holds where any of its nodes does.
type some []node

func (nodes some) bind(s *Snapshot) pass {
	passes := bindAll(nodes, s)
	return func(m *mask, b *block, from, n int) {
		var found mask
		for _, run := range passes {
			part := *m
			run(&part, b, from, n)
			for w := range part {
				found[w] |= part[w]
				m[w] &^= part[w]
			}
		}
		*m = found
	}
}

func (nodes some) match(s *Snapshot, row int32) bool {
	return slices.ContainsFunc(nodes, func(x node) bool { return x.match(s, row) })
}

func (nodes some) cost() int { return costOf(nodes) }

func bindAll(nodes []node, s *Snapshot) []pass {
	passes := make([]pass, len(nodes))
	for i, x := range nodes {
		passes[i] = x.bind(s)
	}
	return passes
}

func costOf(nodes []node) (sum int) {
	for _, x := range nodes {
		sum += x.cost()
	}
	return sum
}

// not holds where its node does not, so also where a row lacks the field.
type not struct{ node }

func (x not) bind(s *Snapshot) pass {
	run := x.node.bind(s)
	return func(m *mask, b *block, from, n int) {
		part := *m
		run(&part, b, from, n)
		for w := range part {
			m[w] &^= part[w]
		}
	}
}

func (x not) match(s *Snapshot, row int32) bool { return !x.node.match(s, row) }

// numberTest looks for numbers, and for names that stand for some.
type numberTest struct {
	field Field
	set   numbers
}

func (t numberTest) bind(s *Snapshot) pass { return t.set.pass(t.field.access.bind(s)) }

// pass asks for the numbers in what a loader loads.
func (set numbers) pass(load loader) pass {
	return func(m *mask, b *block, from, n int) {
		load(b, from, n)
		for w := range m {
			b.has[w] &= m[w]
		}
		set.mark(m, b, n)
	}
}

func (t numberTest) match(s *Snapshot, row int32) bool {
	v, ok := t.field.Value(s, row)
	if ok && t.field.class == className {
		v.Num, ok = t.field.named(v.Text)
	}
	return ok && t.set.contains(v.Num)
}

func (t numberTest) cost() int { return 1 + bits.Len(uint(len(t.set.spans))) }

// addressTest looks for addresses in one of the four places.
type addressTest struct {
	field Field
	set   addresses
}

func newAddressTest(f Field, set addresses) addressTest {
	switch f.family {
	case ipc.FamilyIPv4:
		set.v6 = nil
	case ipc.FamilyIPv6:
		set.v4 = nil
	}
	return addressTest{f, set}
}

func (t addressTest) bind(s *Snapshot) pass {
	return func(m *mask, _ *block, from, n int) {
		var is4 mask
		loadFamily(&is4, s.family, ipc.FamilyIPv4, from, n)
		for w := 0; w*64 < n; w++ {
			if m[w] == 0 {
				continue
			}
			part := s.addr[t.field.side][from+w*64 : from+min(n, w*64+64)]
			m[w] = t.set.word4(part, m[w]&is4[w]) | t.set.word6(s, part, m[w]&^is4[w])
		}
	}
}

// word4 gives those of the rows of interest that hold a wanted IPv4 address.
func (set addresses) word4(part []uint32, interest uint64) (word uint64) {
	if interest == 0 || len(set.v4) == 0 {
		return 0
	}
	if len(set.v4) > few {
		for rest := interest; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			if inSpans(set.v4, uint64(part[i])) {
				word |= 1 << i
			}
		}
		return word
	}
	for _, r := range set.v4 {
		width := r.hi - r.lo
		for i, a := range part {
			_, outside := bits.Sub64(width, uint64(a)-r.lo, 0)
			word |= (outside ^ 1) << (i & 63)
		}
	}
	return word & interest
}

// word6 is word4 for IPv6.
func (set addresses) word6(s *Snapshot, part []uint32, interest uint64) (word uint64) {
	if len(set.v6) == 0 {
		return 0
	}
	for rest := interest; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		hi, lo := s.addrWords(part[i])
		if inSpans6(set.v6, addr6{hi, lo}) {
			word |= 1 << i
		}
	}
	return word
}

func (t addressTest) match(s *Snapshot, row int32) bool {
	v, ok := t.field.Value(s, row)
	return ok && t.set.contains(v.Addr)
}

func (t addressTest) cost() int { return 3 + bits.Len(uint(len(t.set.v4)+len(t.set.v6))) }

// textTest looks for texts as they are.
type textTest struct {
	field Field
	texts []string
}

// bind turns the wanted texts into the places that the loader gives for them.
func (t textTest) bind(s *Snapshot) pass {
	var set numbers
	sorted := t.field.access.texts(s)
	for _, text := range t.texts {
		if i, found := slices.BinarySearch(sorted, text); found {
			set.spans = append(set.spans, span{uint64(i), uint64(i)})
		}
	}
	set.spans = mergeSpans(set.spans)
	return set.pass(t.field.access.bind(s))
}

func (t textTest) match(s *Snapshot, row int32) bool {
	v, ok := t.field.Value(s, row)
	return ok && slices.Contains(t.texts, v.Text)
}

func (t textTest) cost() int { return 4 }

// keyTest looks for exactly these connections.
type keyTest struct{ keys []string }

// bind finds the rows at once: no other row is ever looked at.
func (t keyTest) bind(s *Snapshot) pass {
	var rows []int32
	for _, key := range t.keys {
		target, err := DecodeKey(key)
		if err != nil {
			continue // compiled keys decode
		}
		if row, found := s.FindTarget(target); found {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	return func(m *mask, _ *block, from, n int) {
		var found mask
		i, _ := slices.BinarySearch(rows, int32(from))
		for ; i < len(rows) && int(rows[i]) < from+n; i++ {
			at := int(rows[i]) - from
			found[at/64] |= 1 << (at % 64)
		}
		for w := range m {
			m[w] &= found[w]
		}
	}
}

func (t keyTest) match(s *Snapshot, row int32) bool {
	return slices.Contains(t.keys, s.Key(row))
}

func (t keyTest) cost() int { return 0 }
