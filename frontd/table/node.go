// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "slices"

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
// those of them that match stay.
type pass func(m *Mask, sc *scratch, from, n int)

// scratch is the memory of one goroutine that runs passes, used again for every block.
type scratch struct {
	Block
	masks []*Mask
	used  int
}

// take lends a copy of m, until give.
func (sc *scratch) take(m *Mask) *Mask {
	if sc.used == len(sc.masks) {
		sc.masks = append(sc.masks, new(Mask))
	}
	lent := sc.masks[sc.used]
	sc.used++
	*lent = *m
	return lent
}

// give takes back what was lent last.
func (sc *scratch) give() { sc.used-- }

func (m *Mask) empty() bool { return *m == Mask{} }

// every holds where all of its nodes do.
type every []node

func (nodes every) bind(s *Snapshot) pass {
	passes := bindAll(nodes, s)
	return func(m *Mask, sc *scratch, from, n int) {
		for _, run := range passes {
			if run(m, sc, from, n); m.empty() {
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
	return func(m *Mask, sc *scratch, from, n int) {
		found := Mask{}
		part := sc.take(m)
		for _, run := range passes {
			*part = *m
			run(part, sc, from, n)
			for w := range part {
				found[w] |= part[w]
				m[w] &^= part[w]
			}
			if m.empty() {
				break
			}
		}
		sc.give()
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
	return func(m *Mask, sc *scratch, from, n int) {
		part := sc.take(m)
		run(part, sc, from, n)
		for w := range part {
			m[w] &^= part[w]
		}
		sc.give()
	}
}

func (x not) match(s *Snapshot, row int32) bool { return !x.node.match(s, row) }
