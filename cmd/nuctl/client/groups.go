// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"cmp"
	"context"
	"fmt"
	"iter"
)

// GroupQuery says how to group which connections.
type GroupQuery struct {
	// By is the field that the members of a group have in common.
	By string
	// Filters as in Query.
	Filters map[string]any
	// OrderBy is connections, value, bytes, packets or the name of a sum; empty is byte_rate.
	OrderBy string
	// Ascending turns the order around: by default the largest come first.
	Ascending bool
	// Start is how many groups to leave out, Length how many to fetch.
	Start, Length int
	// Snapshot names the table to look at; empty takes one that is fresh enough.
	Snapshot string
}

// Totals are what several connections have together. Sums are decimal, of bytes, packets
// and bytes a second; empty where nobody knows.
type Totals struct {
	Connections int    `xmlrpc:"connections"`
	OrigPackets string `xmlrpc:"orig_counter_packets"`
	OrigBytes   string `xmlrpc:"orig_counter_bytes"`
	ReplPackets string `xmlrpc:"repl_counter_packets"`
	ReplBytes   string `xmlrpc:"repl_counter_bytes"`
	OrigRate    string `xmlrpc:"orig_byte_rate"`
	ReplRate    string `xmlrpc:"repl_byte_rate"`
	Rate        string `xmlrpc:"byte_rate"`
}

// Row is Totals as a row of a table has them: what nobody knows is left out.
func (t Totals) Row() map[string]any {
	row := map[string]any{"connections": int64(t.Connections)}
	for name, sum := range map[string]string{
		"orig_counter_packets": t.OrigPackets, "orig_counter_bytes": t.OrigBytes,
		"repl_counter_packets": t.ReplPackets, "repl_counter_bytes": t.ReplBytes,
		"orig_byte_rate": t.OrigRate, "repl_byte_rate": t.ReplRate, "byte_rate": t.Rate,
	} {
		if sum != "" {
			row[name] = sum
		}
	}
	return row
}

// Group is the connections with one value of a field. It has the members of Totals, which
// the decoder does not find in an embedded struct.
type Group struct {
	Value       string `xmlrpc:"value"`
	Connections int    `xmlrpc:"connections"`
	OrigPackets string `xmlrpc:"orig_counter_packets"`
	OrigBytes   string `xmlrpc:"orig_counter_bytes"`
	ReplPackets string `xmlrpc:"repl_counter_packets"`
	ReplBytes   string `xmlrpc:"repl_counter_bytes"`
	OrigRate    string `xmlrpc:"orig_byte_rate"`
	ReplRate    string `xmlrpc:"repl_byte_rate"`
	Rate        string `xmlrpc:"byte_rate"`
}

// Totals gives what the members of the group have together.
func (g Group) Totals() Totals {
	return Totals{g.Connections, g.OrigPackets, g.OrigBytes, g.ReplPackets, g.ReplBytes, g.OrigRate, g.ReplRate, g.Rate}
}

// Row is the group as a row of a table has it.
func (g Group) Row() map[string]any {
	row := g.Totals().Row()
	row["value"] = g.Value
	return row
}

// Groups is an answer to a GroupQuery.
type Groups struct {
	Groups []Group `xmlrpc:"groups"`
	// All is of the connections that match, Without how many of these lack the field.
	All     Totals `xmlrpc:"all"`
	Without int    `xmlrpc:"without"`
	// Total is how many groups there are, Count how many connections.
	Total    int      `xmlrpc:"total"`
	Count    int      `xmlrpc:"count"`
	Snapshot string   `xmlrpc:"snapshot"`
	Taken    string   `xmlrpc:"taken"`
	Warnings []string `xmlrpc:"warnings"`
}

// Groups adds up connections by a field.
func (s *Session) Groups(ctx context.Context, q GroupQuery) (Groups, error) {
	filters, err := s.filters("groups", q.Filters)
	if err != nil {
		return Groups{}, err
	}
	order := cmp.Or(q.OrderBy, "byte_rate")
	options := map[string]any{}
	if q.Snapshot != "" {
		options["snapshot"] = q.Snapshot
	}
	var g Groups
	if err := s.call(ctx, &g, "groups", q.By, filters, order, direction(!q.Ascending), q.Start, q.Length, options); err != nil {
		return Groups{}, err
	}
	if err := asAsked(len(g.Groups), q.Length, g.Snapshot, q.Snapshot); err != nil {
		return Groups{}, s.client.fail("groups", BadAnswer, err)
	}
	return g, nil
}

// GroupPages fetches groups page by page, all of one snapshot: from q.Start on, as many as
// q.Length says, 0 for all. The first page always comes, be it empty; an error ends the sequence.
func (s *Session) GroupPages(ctx context.Context, q GroupQuery) iter.Seq2[Groups, error] {
	return func(yield func(Groups, error) bool) {
		part, left := q, q.Length
		for {
			part.Length = PageRows
			if q.Length > 0 {
				part.Length = min(left, PageRows)
			}
			page, err := s.Groups(ctx, part)
			if err != nil {
				yield(Groups{}, err)
				return
			}
			part.Start, part.Snapshot, left = part.Start+len(page.Groups), page.Snapshot, left-len(page.Groups)
			finished := len(page.Groups) == 0 || part.Start >= page.Total || q.Length > 0 && left <= 0
			if !yield(page, nil) || finished {
				return
			}
		}
	}
}

// filters checks the names of members; nil is an empty struct on the wire.
func (s *Session) filters(method string, filters map[string]any) (map[string]any, error) {
	for name := range filters {
		if !fieldName(name) {
			return nil, s.client.fail(method, Unsent, fmt.Errorf("%q is not the name of a field", name))
		}
	}
	if filters == nil {
		filters = map[string]any{}
	}
	return filters, nil
}
