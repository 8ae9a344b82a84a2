// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"fmt"
	"slices"
	"strings"

	"nuconntrack/frontd/table"
)

// GroupQuery asks for groups of the rows that match: all rows with the same value of one
// field are a group.
type GroupQuery struct {
	By      string        // a field that groups: see Field.Groups
	Filter  *table.Filter // nil: every row
	Visible *table.Filter // what the user may see at all; nil: every row
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
	Value table.Value
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

// ParseGroupOrder is ParseOrder for groups. The error is an *Error.
func ParseGroupOrder(order, dir string) (orderBy string, desc bool, err error) {
	if !slices.Contains(GroupOrders(), order) {
		return "", false, &Error{"order_by", fmt.Sprintf("groups cannot be ordered by %s, only by %s", table.Quoted(order), strings.Join(GroupOrders(), ", "))}
	}
	desc, err = parseDirection(dir)
	return order, desc, err
}

// GroupField finds a field to group by. The error is an *Error; the fields that it lists are
// those that there are where marks mean this.
func GroupField(name string, marks *table.Meaning) (table.Field, error) {
	f, ok := table.FieldNamed(name)
	if !ok {
		return table.Field{}, &Error{"by", fmt.Sprintf("there is no field %s to group by", table.Quoted(name))}
	}
	if !f.Groups() {
		names := slices.DeleteFunc(table.GroupingNames(), func(name string) bool {
			f, _ := table.FieldNamed(name)
			return !marks.Has(&f)
		})
		return table.Field{}, &Error{"by", fmt.Sprintf("connections cannot be grouped by %s, only by %s", table.Quoted(name), strings.Join(names, ", "))}
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

// Groups gives a page of the groups of a snapshot. The error is an *Error.
//
// It reads the rows twice: first it finds the groups, with no more of each than decides
// their order, then it adds up those that were asked for. So a million groups take 50 MB
// while they are found, and one call of a snapshot finds groups at a time.
func Groups(s *table.Snapshot, q GroupQuery) (Grouping, error) {
	f, err := GroupField(q.By, s.Meaning())
	switch {
	case err != nil:
		return Grouping{}, err
	case !slices.Contains(GroupOrders(), q.OrderBy):
		_, _, err := ParseGroupOrder(q.OrderBy, "ASC")
		return Grouping{}, err
	case q.Start < 0:
		return Grouping{}, &Error{"start", fmt.Sprintf("%d is negative", q.Start)}
	case q.Length < 0:
		return Grouping{}, &Error{"length", fmt.Sprintf("%d is negative", q.Length)}
	}
	k := keptOf(s)
	matches := k.matching(q.Filter, q.Visible)
	k.grouping.Lock()
	defer k.grouping.Unlock()
	found := findGroups(s, f, matches, summedBy(q.OrderBy))
	chosen := found.choose(q)
	out := Grouping{Total: len(found.all.reps), Without: found.without, Count: matches.count}
	out.Groups, out.All = found.sum(chosen)
	out.All.Connections = matches.total
	for i, g := range chosen {
		out.Groups[i].Value, _ = f.Value(s, found.all.reps[g])
		out.Groups[i].Connections = int(found.all.counts[g])
	}
	return out, nil
}
