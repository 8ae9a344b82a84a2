// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"iter"
	"math/bits"

	"nuconntrack/frontd/table"
)

// foundGroups are all groups of the rows of a set.
type foundGroups struct {
	s       *table.Snapshot
	set     table.Bitmap
	all     *groupTable
	without int
	of      []int32                   // by row of the set: its group in its worker's own numbers, noGroup for none
	worker  []uint8                   // by part of partRows rows: who read it
	in      [table.MaxWorkers][]int32 // by worker, by group of his own: its number among all
}

const noGroup = -1

// groupFinder is the work of one worker.
type groupFinder struct {
	found   *foundGroups
	table   *groupTable
	load    table.Loader
	by      []table.Loader // of what decides the order
	own     table.Block
	summed  table.Block
	without int
}

func findGroups(s *table.Snapshot, f table.Field, of *matches, by []Sum) *foundGroups {
	found := &foundGroups{s: s, set: of.set, of: make([]int32, s.Len()), worker: make([]uint8, s.Len()/table.PartRows+1)}
	var finders [table.MaxWorkers]*groupFinder
	table.InParallel(s.Len(), func(worker int, parts iter.Seq2[int, int]) {
		w := &groupFinder{found: found, table: newGroupTable(s, f, len(by) > 0, of.total/table.WorkersFor(s.Len())), load: f.Load(s)}
		for _, n := range by {
			w.by = append(w.by, n.loader(s))
		}
		for from, to := range parts {
			found.worker[from/table.PartRows] = uint8(worker)
			w.part(from, to)
		}
		finders[worker] = w
	})
	for worker, w := range finders {
		if w == nil {
			continue
		}
		found.without += w.without
		if worker == 0 {
			found.all = w.table
		} else {
			found.in[worker] = found.all.take(w.table)
		}
	}
	return found
}

// part finds the groups of the rows from ≤ row < to.
func (w *groupFinder) part(from, to int) {
	for ; from < to; from += table.BlockRows {
		n := min(table.BlockRows, to-from)
		words := w.found.set[from/64 : (from+n+63)/64]
		if first, end := table.NextRun(words, 0); first == end {
			continue
		}
		w.load(&w.own, from, n)
		for i, word := range words {
			w.without += bits.OnesCount64(word &^ w.own.Has[i])
			w.own.Has[i] &= word
		}
		of := w.found.of[from : from+n]
		for i := range of {
			of[i] = noGroup
		}
		w.own.Has.Each(n, func(i int) { of[i] = w.table.count(w.own.Val[i], int32(from+i)) })
		for _, load := range w.by {
			load(&w.summed, from, n)
			for i := range w.summed.Has {
				w.summed.Has[i] &= w.own.Has[i]
			}
			w.summed.Has.Each(n, func(i int) { w.table.add(of[i], w.summed.Val[i]) })
		}
	}
}

// groupAdder is the work of one worker that adds up what groups have.
type groupAdder struct {
	found  *foundGroups
	places [table.MaxWorkers][]int32 // by worker who found it, by group of his own: its place, noGroup if it was not chosen
	fields [sumCount]table.Loader
	block  table.Block
	at     [table.BlockRows]int32 // by row of the block: the place of its group, or noGroup
	groups []Group                // by place
	all    Totals
}

// sum adds up the chosen groups, and all rows of the set.
func (found *foundGroups) sum(chosen []int32) ([]Group, Totals) {
	places := found.places(chosen)
	var adders [table.MaxWorkers]*groupAdder
	table.InParallel(found.s.Len(), func(worker int, parts iter.Seq2[int, int]) {
		a := &groupAdder{found: found, places: places, groups: make([]Group, len(chosen))}
		for n := range a.fields {
			a.fields[n] = Sum(n).loader(found.s)
		}
		for from, to := range parts {
			a.part(from, to)
		}
		adders[worker] = a
	})
	first := adders[0]
	for _, a := range adders[1:] {
		if a == nil {
			continue
		}
		first.all.merge(&a.all)
		for i := range chosen {
			first.groups[i].merge(&a.groups[i].Totals)
		}
	}
	return first.groups, first.all
}

// places says where groups are to be added up.
func (found *foundGroups) places(chosen []int32) (places [table.MaxWorkers][]int32) {
	place := make([]int32, len(found.all.reps))
	for i := range place {
		place[i] = noGroup
	}
	for i, g := range chosen {
		place[g] = int32(i)
	}
	places[0] = place
	for worker, in := range found.in {
		if in == nil {
			continue
		}
		places[worker] = make([]int32, len(in))
		for own, g := range in {
			places[worker][own] = place[g]
		}
	}
	return places
}

// part adds the rows from ≤ row < to of the set to their groups, and to all.
func (a *groupAdder) part(from, to int) {
	places := a.places[a.found.worker[from/table.PartRows]]
	for ; from < to; from += table.BlockRows {
		n := min(table.BlockRows, to-from)
		words := a.found.set[from/64 : (from+n+63)/64]
		if first, end := table.NextRun(words, 0); first == end {
			continue
		}
		for i, g := range a.found.of[from : from+n] {
			if a.at[i] = noGroup; g != noGroup {
				a.at[i] = places[g]
			}
		}
		for sum := range sumCount {
			a.fields[sum](&a.block, from, n)
			a.add(sum, words)
		}
	}
}

// add adds what is in the block.
func (a *groupAdder) add(sum Sum, words []uint64) {
	for w, word := range words {
		if word &= a.block.Has[w]; word == 0 {
			continue
		}
		a.all.known[sum] = true
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			v := a.block.Val[i&(table.BlockRows-1)]
			a.all.sums[sum] = table.SumAtMost(a.all.sums[sum], v)
			if g := a.at[i&(table.BlockRows-1)]; g != noGroup {
				a.groups[g].add(sum, v)
			}
		}
	}
}
