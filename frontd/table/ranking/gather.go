// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"iter"
	"math"
	"math/bits"

	"nuconntrack/frontd/table"
)

// sample gives about size of the rows in the set, evenly spaced.
func (o *ordering) sample(set table.Bitmap, total, size int) []ranked {
	entries := make([]ranked, 0, size+1)
	step := max(total/size, 1)
	b := new(table.Block)
	seen, next := 0, step/2
	for w, word := range set {
		n := bits.OnesCount64(word)
		for ; next < seen+n; next += step {
			rest := word
			for range next - seen {
				rest &= rest - 1
			}
			entries = append(entries, o.ranked(b, int32(w*64+bits.TrailingZeros64(rest))))
		}
		seen += n
	}
	return entries
}

// bounds are the first and last rows that are gathered; nil leaves a side open.
type bounds struct{ lo, hi *ranked }

// gather gives the rows of the set within bounds, in no order, and how many come before
// them. expect is about how many they are.
func (o *ordering) gather(set table.Bitmap, in bounds, expect int) (before int, inside []ranked) {
	var befores [table.MaxWorkers]int
	var found [table.MaxWorkers][]ranked
	having, lacking := o.limits(in, false), o.limits(in, true)
	table.InParallel(o.s.Len(), func(worker int, parts iter.Seq2[int, int]) {
		g := gathering{ordering: o, in: in, having: having, lacking: lacking}
		for from, to := range parts {
			if g.inside == nil { // others may have taken all
				g.inside = make([]ranked, 0, expect*3/4)
			}
			g.part(set, from, to)
		}
		befores[worker], found[worker] = g.before, g.inside
	})
	for worker, n := range befores {
		before += n
		if len(inside) == 0 {
			inside = found[worker]
		} else {
			inside = append(inside, found[worker]...)
		}
	}
	return before, inside
}

// place is where a row stands by its key and id alone.
type place struct {
	key uint64
	id  uint32
}

// limits are the places of bounds for rows that have the field, or for rows that lack it.
// What is below lo comes before the bounds and what is above hi behind them; what is
// neither has to be compared in full.
type limits struct{ lo, hi place }

func (o *ordering) limits(in bounds, last bool) limits {
	lowest, highest := place{}, place{math.MaxUint64, math.MaxUint32}
	l := limits{lowest, highest}
	switch {
	case in.lo == nil || !in.lo.last && last:
	case in.lo.last == last:
		l.lo = place{in.lo.key, in.lo.id}
	default:
		l.lo = highest
	}
	switch {
	case in.hi == nil || in.hi.last && !last:
	case in.hi.last == last:
		l.hi = place{in.hi.key, in.hi.id}
	default:
		l.hi = lowest
	}
	// Addresses of IPv6 with the same key differ behind it, which goes before the id.
	if o.isAddr && !last {
		if (l.lo.key^o.flip())&table.PrefixIPv6 != 0 {
			l.lo.id = 0
		}
		if (l.hi.key^o.flip())&table.PrefixIPv6 != 0 {
			l.hi.id = math.MaxUint32
		}
	}
	return l
}

// gathering is the work of one worker.
type gathering struct {
	*ordering
	table.Block
	in              bounds
	having, lacking limits
	before          int
	inside          []ranked
}

func (g *gathering) part(set table.Bitmap, from, to int) {
	for ; from < to; from += table.BlockRows {
		n := min(table.BlockRows, to-from)
		words := set[from/64 : (from+n+63)/64]
		for first, end := table.NextRun(words, 0); first < end; first, end = table.NextRun(words, end) {
			at := from + first*64
			g.load(&g.Block, at, min(n, end*64)-first*64)
			for w, word := range words[first:end] {
				g.word(at+w*64, w, word)
			}
		}
	}
}

// word looks at the rows of the set from row `at` on, which are in word w of the block.
// Nearly all are outside of the bounds by place; the others are compared in full.
func (g *gathering) word(at, w int, word uint64) {
	ids := g.ids[at:min(at+64, len(g.ids))]
	keys := g.Val[w*64:][:len(ids)]
	flip := g.flip()
	has := g.Has[w] & word
	below, above := g.having.outside(keys, ids, flip)
	below, above = below&has, above&has
	if lacks := word &^ has; lacks != 0 {
		var none [64]uint64
		b, a := g.lacking.outside(none[:len(ids)], ids, 0)
		below, above = below|b&lacks, above|a&lacks
	}
	g.before += bits.OnesCount64(below)
	for rest := word &^ (below | above); rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		e := ranked{row: int32(at + i), id: ids[i], last: has>>i&1 == 0}
		if !e.last {
			e.key = keys[i] ^ flip
		}
		switch {
		case g.in.lo != nil && g.compare(e, *g.in.lo) < 0:
			g.before++
		case g.in.hi == nil || g.compare(e, *g.in.hi) <= 0:
			g.inside = append(g.inside, e)
		}
	}
}

// outside sets the bits of the rows that are below and above, without a jump: key and id
// are one number of 96 bits. It goes from the last row to the first, as isSet says.
func (l limits) outside(keys []uint64, ids []uint32, flip uint64) (below, above uint64) {
	for i := len(ids) - 1; i >= 0 && i < len(keys); i-- {
		key, id := keys[i]^flip, uint64(ids[i])
		_, borrow := bits.Sub64(id, uint64(l.lo.id), 0)
		_, borrow = bits.Sub64(key, l.lo.key, borrow)
		below += below + borrow
		_, borrow = bits.Sub64(uint64(l.hi.id), id, 0)
		_, borrow = bits.Sub64(l.hi.key, key, borrow)
		above += above + borrow
	}
	return below, above
}
