// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/bits"
	"slices"

	"nuconntrack/ipc"
)

// numberTest looks for numbers, and for names that stand for some.
type numberTest struct {
	field Field
	set   numbers
}

func (t numberTest) bind(s *Snapshot) pass { return t.set.pass(t.field.access.bind(s)) }

// pass asks for the numbers in what a loader loads.
func (set numbers) pass(load loader) pass {
	return func(m *mask, sc *scratch, from, n int) {
		load(&sc.block, from, n)
		for w := range m {
			sc.has[w] &= m[w]
		}
		set.mark(m, &sc.block, n)
	}
}

func (t numberTest) match(s *Snapshot, row int32) bool {
	v, ok := t.field.Value(s, row)
	if ok && t.field.class == className {
		v.Num, ok = t.field.named(v.Text)
	}
	return ok && t.set.contains(v.Num)
}

func (t numberTest) cost() int {
	cost := 1 + bits.Len(uint(len(t.set.spans)))
	if t.field.class == className {
		cost += 4 // names are looked up row by row
	}
	return cost
}

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
	return func(m *mask, _ *scratch, from, n int) {
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
			if set.index4.inSpans(set.v4, uint64(part[i])) {
				word |= 1 << i
			}
		}
		return word
	}
	for _, r := range set.v4 {
		word |= withinSpan(part, r)
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
	set.index = indexSpans(set.spans)
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
	return func(m *mask, _ *scratch, from, n int) {
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
