// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"slices"
	"sync"

	"nuconntrack/frontd/table"
)

// What is kept of the answers of one snapshot, so that the same question asked again
// costs nothing: at a million rows 125 kB a filter, and at most 4 MB an order.
const (
	keptFilters = 8
	keptOrders  = 4
)

// kept are the answers of one snapshot that callers are likely to ask for again. They are kept
// beside it, and go with it.
type kept struct {
	of *table.Snapshot

	mu      sync.Mutex // guards the two lists, not what is in their members
	filters []*matches // used last is last
	orders  []*keptOrder

	// grouping lets one call find groups at a time, which takes memory while it lasts.
	grouping sync.Mutex
}

// keptOf gives what is kept of a snapshot's answers.
func keptOf(s *table.Snapshot) *kept {
	return s.Beside(func() any { return &kept{of: s} }).(*kept)
}

// Matching gives the rows that match, of those that may be seen, in the order of the
// snapshot, and how many they are; no rows if they are more than most.
func Matching(s *table.Snapshot, filter, visible *table.Filter, most int) (rows []int32, total int) {
	m := keptOf(s).matching(filter, visible)
	if m.total > most {
		return nil, m.total
	}
	rows = make([]int32, 0, m.total)
	m.set.Each(0, len(m.set), func(row int32) { rows = append(rows, row) })
	return rows, m.total
}

// Count is how many rows a user may see.
func Count(s *table.Snapshot, visible *table.Filter) int {
	if visible == nil {
		return s.Len()
	}
	return keptOf(s).matching(nil, visible).total
}

// matches are the rows that a filter leaves of those that a user may see.
type matches struct {
	filter, visible string // names of the two filters

	find  sync.Once
	set   table.Bitmap
	total int // rows in set
	count int // rows that may be seen
}

// matching answers a filter, or waits for another call that is answering it.
func (k *kept) matching(filter, visible *table.Filter) *matches {
	m := &matches{filter: filter.Name(), visible: visible.Name()}
	if m.isNamed() {
		k.mu.Lock()
		m = touch(&k.filters, keptFilters, m, func(x *matches) bool {
			return x.filter == m.filter && x.visible == m.visible
		})
		k.mu.Unlock()
	}
	m.find.Do(func() {
		if visible == nil || filter.IsAll() {
			m.set = visible.Run(k.of)
			m.count = m.set.Count()
		} else {
			// What may be seen is the same for many filters.
			all := k.matching(nil, visible)
			m.set, m.count = slices.Clone(all.set), all.count
		}
		if !filter.IsAll() {
			m.set.And(filter.Run(k.of))
		}
		m.total = m.set.Count()
	})
	return m
}

func (m *matches) isNamed() bool { return m.filter != "" && m.visible != "" }

// keptOrder is what is known of one order of the rows that match.
type keptOrder struct {
	of    *matches
	field string
	desc  bool

	mu       sync.Mutex
	segments []segment // found last is last; together no more rows than match
	rows     int       // in all segments
}

// order finds what is known of an order.
func (k *kept) order(of *matches, field string, desc bool) *keptOrder {
	o := &keptOrder{of: of, field: field, desc: desc}
	if !of.isNamed() {
		return o
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return touch(&k.orders, keptOrders, o, func(x *keptOrder) bool {
		return x.of == of && x.field == field && x.desc == desc
	})
}

// page gives the rows at the places start ≤ i < end of total. What is not known is found
// once, however many calls ask for it.
func (o *keptOrder) page(start, end, total int, find func() segment) []int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, g := range o.segments {
		if g.from <= start && end <= g.from+len(g.rows) {
			return g.rows[start-g.from : end-g.from : end-g.from]
		}
	}
	g := find()
	for len(o.segments) > 0 && o.rows+len(g.rows) > total {
		o.rows -= len(o.segments[0].rows)
		o.segments = slices.Delete(o.segments, 0, 1)
	}
	o.segments = append(o.segments, g)
	o.rows += len(g.rows)
	return g.rows[start-g.from : end-g.from : end-g.from]
}

// touch moves the member that is the same to the end of the list, or puts a new one
// there and lets the one go that was not used for longest.
func touch[T any](list *[]T, most int, fresh T, same func(T) bool) T {
	if i := slices.IndexFunc(*list, same); i >= 0 {
		fresh = (*list)[i]
		*list = slices.Delete(*list, i, i+1)
	} else if len(*list) == most {
		*list = slices.Delete(*list, 0, 1)
	}
	*list = append(*list, fresh)
	return fresh
}
