// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"math/bits"
	"slices"
	"sync"
)

const (
	// sortAsOne is up to how many rows are sorted without sharing the work.
	sortAsOne = 1 << 11
	// pickSort is up to how many rows are sorted rather than picked from.
	pickSort = 1 << 4
)

// pick puts the row of place n where it belongs, what comes before it in front of it and
// the rest behind it, in time that does not depend on n. No two rows may be equal.
func (o *ordering) pick(all []ranked, n int) *ranked {
	picked := &all[n]
	// Pivots that cut off next to nothing, over and over, are no chance: sort then.
	for tries := 4 * bits.Len(uint(len(all))); len(all) > pickSort && tries > 0; tries-- {
		at := o.part(all)
		switch {
		case n < at:
			all = all[:at]
		case n > at:
			all, n = all[at+1:], n-at-1
		default:
			return picked
		}
	}
	slices.SortFunc(all, o.compare)
	return picked
}

// part chooses a row, puts what comes before it in front of it and the rest behind it, and
// says where it is then.
func (o *ordering) part(all []ranked) int {
	last := len(all) - 1
	o.median(all[0:1:1], all[last/2:], all[last:])
	pivot := all[last]
	at := 0
	for i := range all[:last] {
		if o.compare(all[i], pivot) < 0 {
			all[at], all[i] = all[i], all[at]
			at++
		}
	}
	all[at], all[last] = all[last], all[at]
	return at
}

// median brings the middle one of the first rows of a, b and c to the front of c.
func (o *ordering) median(a, b, c []ranked) {
	order := func(x, y []ranked) {
		if o.compare(y[0], x[0]) < 0 {
			x[0], y[0] = y[0], x[0]
		}
	}
	order(a, b)
	order(a, c) // a has the least
	order(c, b)
}

// sort brings rows into order, on several processors where it is worth it.
func (o *ordering) sort(all []ranked) {
	if len(all) <= sortAsOne {
		slices.SortFunc(all, o.compare)
		return
	}
	half := len(all) / 2
	o.pick(all, half)
	var other sync.WaitGroup
	other.Go(func() { o.sort(all[half+1:]) })
	o.sort(all[:half])
	other.Wait()
}
