// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
)

// Query says which connections to list.
type Query struct {
	// Filters by field: a string, a bool, or a []string (any of). All must hold; none
	// matches every connection. Names are letters, digits and underscores only.
	Filters map[string]any
	// OrderBy is a field; empty leaves the order to the server.
	OrderBy string
	// Descending reverses the order.
	Descending bool
	// Start is how many rows to leave out before the first.
	Start int
	// Limit is how many rows to fetch; 0 is all.
	Limit int
	// Fields are the names to fetch; none fetches all.
	Fields []string
}

// Page is a part of a table.
type Page struct {
	// Rows as they came: int64, string, bool by field; other types from a server that
	// does not keep to its word.
	Rows []map[string]any `xmlrpc:"table"`
	// Total is how many connections match, Count how many there are.
	Total int `xmlrpc:"total"`
	Count int `xmlrpc:"count"`
	// Snapshot names the table that this page was cut from.
	Snapshot string   `xmlrpc:"snapshot"`
	Taken    string   `xmlrpc:"taken"`
	Warnings []string `xmlrpc:"warnings"`
}

// Pages fetches what a query asks for, page by page, all of one snapshot. The first page
// always comes, be it empty; an error ends the sequence.
func (s *Session) Pages(ctx context.Context, q Query) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		start, snapshot := q.Start, ""
		for {
			length := PageRows
			if q.Limit > 0 {
				length = min(length, q.Start+q.Limit-start)
			}
			page, err := s.page(ctx, q, start, length, snapshot)
			if err != nil {
				yield(Page{}, err)
				return
			}
			start, snapshot = start+len(page.Rows), page.Snapshot
			finished := len(page.Rows) == 0 || start >= page.Total || q.Limit > 0 && start >= q.Start+q.Limit
			if !yield(page, nil) || finished {
				return
			}
		}
	}
}

// Window fetches length rows from start on, of the snapshot with this name; an empty name
// takes a table as fresh as the server makes them.
func (s *Session) Window(ctx context.Context, q Query, start, length int, snapshot string) (Page, error) {
	return s.page(ctx, q, start, min(length, PageRows), snapshot)
}

func (s *Session) page(ctx context.Context, q Query, start, length int, snapshot string) (Page, error) {
	filters, err := s.filters("view", q.Filters)
	if err != nil {
		return Page{}, err
	}
	order := cmp.Or(q.OrderBy, "orig_src")
	options := map[string]any{}
	if len(q.Fields) > 0 {
		options["fields"] = q.Fields
	}
	if snapshot != "" {
		options["snapshot"] = snapshot
	}
	var page Page
	if err := s.call(ctx, &page, "view", filters, order, direction(q.Descending), start, length, options); err != nil {
		return Page{}, err
	}
	err = asAsked(len(page.Rows), length, page.Snapshot, snapshot)
	if err == nil && page.Snapshot == "" && page.Total > len(page.Rows) {
		err = errors.New("table without a name")
	}
	if err != nil {
		return Page{}, s.client.fail("view", BadAnswer, err)
	}
	return page, nil
}

// direction is order_dir of the interface.
func direction(descending bool) string {
	if descending {
		return "DESC"
	}
	return "ASC"
}

// asAsked refuses more rows than were asked for, and those of another table where one was named.
func asAsked(rows, most int, snapshot, named string) error {
	if rows > most {
		return fmt.Errorf("%d rows, asked for %d", rows, most)
	}
	if named != "" && snapshot != named {
		return errors.New("rows of another table than asked for")
	}
	return nil
}

// fieldName says whether the encoder, which does not escape the names of members, may
// have this one.
func fieldName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_':
		default:
			return false
		}
	}
	return true
}
