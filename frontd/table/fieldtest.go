// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/bits"
	"slices"

	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// numberTest looks for numbers, and for names that stand for some.
type numberTest struct {
	field Field
	set   numbers
}

func (t numberTest) bind(s *Snapshot) pass {
	if test := t.field.access.test; test != nil {
		return test(s, t.set)
	}
	return t.set.pass(t.field.access.bind(s))
}

// pass asks for the numbers in what a loader loads, which is only what is of interest.
func (set numbers) pass(load Loader) pass {
	return func(m *Mask, sc *scratch, from, n int) {
		for first, end := NextRun(m[:], 0); first < end; first, end = NextRun(m[:], end) {
			from, n := from+first*64, min(n, end*64)-first*64
			load(&sc.Block, from, n)
			for w := range m[first:end] {
				m[first+w] = wordOf(&set, sc.Val[w*64:min(n, w*64+64)], m[first+w]&sc.Has[w])
			}
		}
	}
}

// columnPass asks for the numbers in a column, where a row has everything in need.
func columnPass[T unsigned](col []T, has *having, need uint32, set numbers) pass {
	return func(m *Mask, _ *scratch, from, n int) {
		for w := 0; w*64 < n; w++ {
			first, end := from+w*64, from+min(n, w*64+64)
			word := wordOf(&set, col[first:end], m[w])
			if word != 0 {
				word &= has.word(need, first, end-first)
			}
			m[w] = word
		}
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
	wanted := numbers{spans: t.set.v4, index: t.set.index4}
	return func(m *Mask, _ *scratch, from, n int) {
		for w := 0; w*64 < n; w++ {
			first, end := from+w*64, from+min(n, w*64+64)
			part := s.addr[t.field.side][first:end]
			if len(s.addr6) == 0 {
				m[w] = wordOf(&wanted, part, m[w])
			} else if m[w] != 0 {
				is4 := familyWord(s.family[first:end], ipc.FamilyIPv4)
				m[w] = wordOf(&wanted, part, m[w]&is4) | t.set.word6(s, part, m[w]&^is4)
			}
		}
	}
}

// word6 gives those of the rows of interest, all of IPv6, that hold a wanted address.
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
		target, err := ident.DecodeKey(key)
		if err != nil {
			continue // compiled keys decode
		}
		if row, found := s.FindTarget(target); found {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	return func(m *Mask, _ *scratch, from, n int) {
		var found Mask
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
