// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"fmt"
	"math"

	"nuconntrack/frontd/table"
)

// Query asks for one page of the rows that match.
type Query struct {
	Filter  *table.Filter // nil: every row
	Visible *table.Filter // what the user may see at all; nil: every row
	OrderBy string        // a sortable field
	Desc    bool
	// Start is the first row of the page, from 0 on. Length is the most rows there are
	// to be; 0 asks for the totals alone.
	Start, Length int
}

// Page is one page of a snapshot.
type Page struct {
	// Rows are in order. They may be shared with other calls and must not be changed.
	Rows  []int32
	Total int // rows that match
	Count int // rows that the user may see
}

// A page is found in three steps, which cost about the same wherever it is: take a sample
// of the rows, gather the rows between two of the sample that enclose the page, sort those
// around the page. Should the sample mislead, the bounds are moved apart until they do
// enclose it.
const (
	gatherAll = 1 << 13 // as few rows are sorted as a whole
	// A page in the middle needs a larger sample than one at an end, for as tight bounds.
	minSample = 1 << 11
	maxSample = 1 << 13
	// A sample is at most one in so many rows.
	sampleShare = 16
	// The bounds are as many standard deviations of a random sample away from the page.
	firstMargin = 3
	moreMargin  = 8
	// aroundPage is how many rows on either side of a page are sorted with it: the next
	// page is likely to be asked for.
	aroundPage = 1 << 11
)

// segment is a piece of an order: rows by their places from `from` on.
type segment struct {
	from int
	rows []int32
}

// Rows gives a page of the rows of a snapshot. The error is an *Error.
func Rows(s *table.Snapshot, q Query) (Page, error) {
	f, ok := table.FieldNamed(q.OrderBy)
	switch {
	case !ok || !f.Sort:
		return Page{}, &Error{"order_by", fmt.Sprintf("there is no field %s to order by", table.Quoted(q.OrderBy))}
	case q.Start < 0:
		return Page{}, &Error{"start", fmt.Sprintf("%d is negative", q.Start)}
	case q.Length < 0:
		return Page{}, &Error{"length", fmt.Sprintf("%d is negative", q.Length)}
	}
	k := keptOf(s)
	matches := k.matching(q.Filter, q.Visible)
	page := Page{Total: matches.total, Count: matches.count}
	if q.Start >= page.Total || q.Length == 0 {
		return page, nil
	}
	end := q.Start + min(q.Length, page.Total-q.Start)
	page.Rows = k.order(matches, f.Name, q.Desc).page(q.Start, end, page.Total, func() segment {
		return newOrdering(s, f, q.Desc).segment(matches.set, page.Total, q.Start, end)
	})
	return page, nil
}

// segment sorts a piece of the set that holds the places start ≤ i < end, of total.
func (o *ordering) segment(set table.Bitmap, total, start, end int) segment {
	if total <= gatherAll {
		_, inside := o.gather(set, bounds{}, total)
		return o.around(inside, 0, 0, total)
	}
	share := float64(start) / float64(total)
	size := minSample + int((maxSample-minSample)*4*share*(1-share))
	sample := o.sample(set, total, min(size, total/sampleShare))
	for margin := float64(firstMargin); ; margin *= moreMargin {
		in, expect := o.enclose(sample, start, end, total, margin)
		before, inside := o.gather(set, in, expect)
		if before <= start && end <= before+len(inside) {
			return o.around(inside, before, start, end)
		}
	}
}

// around sorts the places start ≤ i < end, and some around them, of what was found, which
// has the places from `before` on.
func (o *ordering) around(found []ranked, before, start, end int) segment {
	if first := start - before - aroundPage; first > 0 {
		o.pick(found, first)
		before, found = before+first, found[first:]
	}
	if most := end - before + aroundPage; most < len(found) {
		o.pick(found, most)
		found = found[:most]
	}
	o.sort(found)
	rows := make([]int32, len(found))
	for i, e := range found {
		rows[i] = e.row
	}
	return segment{before, rows}
}

// enclose picks two of the sample that very likely enclose the places start ≤ i < end, and
// says about how many rows they do enclose. A margin wide enough leaves both sides open.
func (o *ordering) enclose(sample []ranked, start, end, total int, margin float64) (in bounds, expect int) {
	size := float64(len(sample))
	away := func(place int) (at, distance float64) {
		share := float64(place) / float64(total)
		return share * size, margin * (1 + math.Sqrt(size*share*(1-share)))
	}
	lo, hi := 0, len(sample)
	if at, distance := away(end); at+distance < size {
		hi = int(at + distance)
		in.hi = o.pick(sample, hi)
	}
	if at, distance := away(start); at-distance >= 0 {
		lo = int(at - distance)
		in.lo = o.pick(sample[:hi], lo)
	}
	return in, int(float64(hi-lo) / size * float64(total))
}
