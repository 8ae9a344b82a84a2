// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"time"

	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ranking"
)

// DefaultGroups is how many groups a client gets that does not say.
const DefaultGroups = 20

// GroupRequest asks for the groups of connections that have one field in common. By has to
// be given; the zero values of the others ask for the totals of all, of a table that is
// fresh enough.
type GroupRequest struct {
	By       string // a field
	Filters  map[string]table.Operand
	OrderBy  string // "" is byte_rate; see ranking.GroupOrders
	OrderDir string // "" is DESC
	Start    int    // groups to leave out, at least 0
	Length   int    // groups at most, at least 0; no more than MaxPage are given
	Snapshot string // "": see API, Freshness
	Soon     bool   // see ViewRequest
}

// Groups are a part of the groups of a table.
type Groups struct {
	ranking.Grouping
	Start    int
	Snapshot string
	Taken    time.Time
	Warnings []Warning
	Reading  bool // with Soon: a newer table is being read
}

// Groups adds up the connections that have one field in common, of those that the user may
// see. It looks at the same table as View, and makes it the one that the session viewed last. The
// calls of one user come one after the other.
func (c *Call) Groups(ctx context.Context, r GroupRequest) (Groups, error) {
	query, err := c.groupQuery(r)
	if err != nil {
		return Groups{}, c.failed("groups", err)
	}
	end, err := c.s.grouping.take(ctx, c.User())
	if err != nil {
		return Groups{}, c.failed("groups", err)
	}
	defer end()
	snap, reading, err := c.lookOrSoon(ctx, r.Snapshot, r.Soon)
	if err != nil {
		return Groups{}, c.failed("groups", err)
	}
	query.Visible = c.role.visible
	grouping, err := ranking.Groups(snap, query)
	if err != nil {
		return Groups{}, c.failed("groups", err)
	}
	return Groups{
		Grouping: grouping, Start: r.Start,
		Snapshot: snap.Name(), Taken: snap.Taken(), Warnings: c.warnings(snap), Reading: reading,
	}, nil
}

// groupQuery checks all that can be wrong with a request before anything is read.
func (c *Call) groupQuery(r GroupRequest) (ranking.GroupQuery, error) {
	if err := checkRange(r.Start, r.Length); err != nil {
		return ranking.GroupQuery{}, err
	}
	by, err := ranking.GroupField(r.By, c.set.Meaning)
	if err == nil {
		err = c.set.known("by", &by)
	}
	if err != nil {
		return ranking.GroupQuery{}, err
	}
	filter, err := c.set.filter(r.Filters)
	if err != nil {
		return ranking.GroupQuery{}, err
	}
	if r.OrderBy == "" {
		r.OrderBy = ranking.SumRate.String()
	}
	if r.OrderDir == "" {
		r.OrderDir = "DESC"
	}
	order, desc, err := ranking.ParseGroupOrder(r.OrderBy, r.OrderDir)
	if err != nil {
		return ranking.GroupQuery{}, err
	}
	return ranking.GroupQuery{
		By: r.By, Filter: filter, OrderBy: order, Desc: desc,
		Start: r.Start, Length: min(r.Length, c.set.MaxPage),
	}, nil
}
