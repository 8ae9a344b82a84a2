// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// GroupQuery asks for groups of the rows that match: all rows with the same value of one
// field are a group.
type GroupQuery struct {
	By      string  // a field that groups: see Field.Groups
	Filter  *Filter // nil: every row
	Visible *Filter // what the user may see at all; nil: every row
	// OrderBy is one of GroupOrders. Groups that lack it come last in both directions; ties
	// are broken by value, upwards.
	OrderBy string
	Desc    bool
	// Start is the first group that is given, from 0 on. Length is the most groups there are
	// to be; 0 asks for the totals alone.
	Start, Length int
}

// Group is what has one value.
type Group struct {
	Value Value
	Totals
}

// Grouping is a part of the groups of a snapshot. It holds nothing of the snapshot but
// single names.
type Grouping struct {
	Groups  []Group // in order
	Total   int     // groups that there are
	All     Totals  // of all rows that match
	Without int     // rows that match and lack the field: they are in no group
	Count   int     // rows that the user may see
}

// Orders of groups besides the names of the sums.
const (
	OrderConnections = "connections"
	OrderValue       = "value"
	OrderBytes       = "bytes"   // of both directions, as far as they are known
	OrderPackets     = "packets" // likewise
)

// GroupOrders are what groups can be ordered by.
func GroupOrders() []string {
	orders := []string{OrderConnections, OrderValue, OrderBytes, OrderPackets}
	for _, n := range Sums() {
		orders = append(orders, n.String())
	}
	return orders
}

// ParseGroupOrder is ParseOrder for groups. The error is a *QueryError.
func ParseGroupOrder(order, dir string) (orderBy string, desc bool, err error) {
	if !slices.Contains(GroupOrders(), order) {
		return "", false, &QueryError{"order_by", fmt.Sprintf("groups cannot be ordered by %s, only by %s", quoted(order), strings.Join(GroupOrders(), ", "))}
	}
	desc, err = parseDirection(dir)
	return order, desc, err
}

// Groups says whether rows can be grouped by the field: not by what is another number or
// time with nearly every connection.
func (f *Field) Groups() bool {
	return f.access.bind != nil && f.class != classKey && f.class != classTime &&
		f.unit != unitSize && f.unit != unitSeconds && f.Name != "id"
}

// GroupField finds a field to group by. The error is a *QueryError.
func GroupField(name string) (Field, error) {
	f, ok := FieldNamed(name)
	if !ok {
		return Field{}, &QueryError{"by", fmt.Sprintf("there is no field %s to group by", quoted(name))}
	}
	if !f.Groups() {
		var names []string
		for _, f := range fieldTable {
			if f.Groups() {
				names = append(names, f.Name)
			}
		}
		return Field{}, &QueryError{"by", fmt.Sprintf("connections cannot be grouped by %s, only by %s", quoted(name), strings.Join(names, ", "))}
	}
	return f, nil
}

// summedBy are the sums that an order adds up; none for the number of members and for the
// value.
func summedBy(order string) []Sum {
	switch order {
	case OrderBytes:
		return []Sum{SumOrigBytes, SumReplBytes}
	case OrderPackets:
		return []Sum{SumOrigPackets, SumReplPackets}
	}
	var sums []Sum
	for _, n := range Sums() {
		if n.String() == order {
			sums = append(sums, n)
		}
	}
	return sums
}

// Group answers a query. The error is a *QueryError.
//
// It reads the rows twice: first it finds the groups, with no more of each than decides
// their order, then it adds up those that were asked for. So a million groups take 50 MB
// while they are found, and one call of a snapshot finds groups at a time.
func (s *Snapshot) Group(q GroupQuery) (Grouping, error) {
	f, err := GroupField(q.By)
	switch {
	case err != nil:
		return Grouping{}, err
	case !slices.Contains(GroupOrders(), q.OrderBy):
		_, _, err := ParseGroupOrder(q.OrderBy, "ASC")
		return Grouping{}, err
	case q.Start < 0:
		return Grouping{}, &QueryError{"start", fmt.Sprintf("%d is negative", q.Start)}
	case q.Length < 0:
		return Grouping{}, &QueryError{"length", fmt.Sprintf("%d is negative", q.Length)}
	}
	matches := s.kept.matching(s, q.Filter, q.Visible)
	s.kept.grouping.Lock()
	defer s.kept.grouping.Unlock()
	found := findGroups(s, f, matches.set, summedBy(q.OrderBy))
	chosen := found.choose(q)
	out := Grouping{Total: len(found.all.reps), Without: found.without, Count: matches.count}
	out.Groups, out.All = found.sum(matches.set, chosen)
	out.All.Connections = matches.total
	for i, g := range chosen {
		out.Groups[i].Value, _ = f.Value(s, found.all.reps[g])
		out.Groups[i].Connections = int(found.all.counts[g])
	}
	return out, nil
}

// foundGroups are all groups of the rows of a set.
type foundGroups struct {
	all     *groupTable
	without int
	of      []int32 // by row: the group in the part's own numbers, -1 for none
	parts   []groupPart
}

// groupPart is a part of the rows that one worker read.
type groupPart struct {
	from, to int
	table    *groupTable
	without  int
	in       []int32 // by group of this part: its number among all
}

func findGroups(s *Snapshot, f Field, set bitmap, by []Sum) *foundGroups {
	found := &foundGroups{of: make([]int32, s.Len()), parts: make([]groupPart, maxWorkers)}
	inParallel(s.Len(), func(worker, from, to int) {
		part := groupPart{from: from, to: to, table: newGroupTable(s, f, len(by) > 0)}
		part.read(s, f, set, found.of, by)
		found.parts[worker] = part
	})
	found.parts = slices.DeleteFunc(found.parts, func(p groupPart) bool { return p.table == nil })
	for i := range found.parts {
		part := &found.parts[i]
		found.without += part.without
		if i == 0 {
			found.all = part.table
			continue
		}
		part.in = found.all.take(part.table)
		part.table = nil
	}
	return found
}

// read finds the groups of the part's rows.
func (p *groupPart) read(s *Snapshot, f Field, set bitmap, of []int32, by []Sum) {
	load, b := f.access.bind(s), new(block)
	loaders, summed := make([]loader, len(by)), new(block)
	for i, n := range by {
		loaders[i] = n.loader(s)
	}
	for from := p.from; from < p.to; from += blockRows {
		n := min(blockRows, p.to-from)
		words := set[from/64 : (from+n+63)/64]
		if allZero(words) {
			continue
		}
		load(b, from, n)
		for w, word := range words {
			p.without += bits.OnesCount64(word &^ b.has[w])
			b.has[w] &= word
		}
		part := of[from : from+n]
		for i := range part {
			part[i] = -1
		}
		b.has.each(n, func(i int) { part[i] = p.table.count(b.val[i], int32(from+i)) })
		for _, load := range loaders {
			load(summed, from, n)
			for w := range summed.has {
				summed.has[w] &= b.has[w]
			}
			summed.has.each(n, func(i int) { p.table.add(part[i], summed.val[i]) })
		}
	}
}

// sum adds up the chosen groups, and all rows of the set.
func (found *foundGroups) sum(set bitmap, chosen []int32) ([]Group, Totals) {
	s := found.all.s
	place := make([]int32, len(found.all.reps))
	for i := range place {
		place[i] = -1
	}
	for i, g := range chosen {
		place[g] = int32(i)
	}
	groups, alls := make([][]Group, len(found.parts)), make([]Totals, len(found.parts))
	var done sync.WaitGroup
	for i, part := range found.parts {
		done.Go(func() {
			at := place
			if part.in != nil {
				at = make([]int32, len(part.in))
				for own, g := range part.in {
					at[own] = place[g]
				}
			}
			groups[i] = make([]Group, len(chosen))
			sumPart(s, set, part.from, part.to, found.of, at, groups[i], &alls[i])
		})
	}
	done.Wait()
	for i := range groups[1:] {
		alls[0].merge(&alls[i+1])
		for g := range chosen {
			groups[0][g].merge(&groups[i+1][g].Totals)
		}
	}
	return groups[0], alls[0]
}

// sumPart adds the rows from ≤ row < to of the set to their groups, whose places are in at,
// and to all.
func sumPart(s *Snapshot, set bitmap, from, to int, of, at []int32, groups []Group, all *Totals) {
	var loaders [sumCount]loader
	for n := range loaders {
		loaders[n] = Sum(n).loader(s)
	}
	b := new(block)
	for ; from < to; from += blockRows {
		n := min(blockRows, to-from)
		words := set[from/64 : (from+n+63)/64]
		if allZero(words) {
			continue
		}
		own := of[from : from+n]
		for sum := range Sum(len(loaders)) {
			loaders[sum](b, from, n)
			for w, word := range words {
				word &= b.has[w]
				if word == 0 {
					continue
				}
				all.known[sum] = true
				for ; word != 0; word &= word - 1 {
					i := w*64 + bits.TrailingZeros64(word)
					v := b.val[i&(blockRows-1)]
					all.sums[sum] = saturated(all.sums[sum], v)
					if g := own[i]; g >= 0 && at[g] >= 0 {
						groups[at[g]].add(sum, v)
					}
				}
			}
		}
	}
}
