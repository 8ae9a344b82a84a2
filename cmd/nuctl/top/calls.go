// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"slices"
	"strings"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
)

func (f *fetcher) rows(ctx context.Context, r request) (page, error) {
	if r.query.by != "" {
		return f.groups(ctx, r)
	}
	q := client.Query{Filters: r.query.filters(), OrderBy: r.query.orderBy, Descending: r.query.desc, Fields: f.there(rowFields())}
	return f.window(ctx, q, r.start, r.length, r.snapshot)
}

// there leaves out what the server would refuse the whole call for.
func (f *fetcher) there(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !f.fields[name] })
}

// groups makes rows of groups. Their value takes the place of the key.
func (f *fetcher) groups(ctx context.Context, r request) (page, error) {
	g, err := f.source.Groups(ctx, client.GroupQuery{By: r.query.by, Filters: r.query.filters(), OrderBy: r.query.orderBy,
		Ascending: !r.query.desc, Start: r.start, Length: r.length, Snapshot: r.snapshot})
	if err != nil {
		return page{}, err
	}
	got := page{start: r.start, total: max(g.Total, 0), count: g.Count, snapshot: g.Snapshot, taken: g.Taken, warnings: g.Warnings,
		matching: g.All.Connections, without: g.Without, all: g.All.Row()}
	for _, group := range g.Groups {
		row := connection.Row(group.Row())
		row["key"] = group.Value
		got.rows = append(got.rows, row)
	}
	if len(got.rows) > 0 {
		got.total = max(got.total, r.start+len(got.rows))
	}
	return got, nil
}

func (f *fetcher) window(ctx context.Context, q client.Query, start, length int, snapshot string) (page, error) {
	p, err := f.source.Window(ctx, q, start, length, snapshot)
	if err != nil {
		return page{}, err
	}
	got := page{start: start, total: p.Total, count: p.Count, snapshot: p.Snapshot, taken: p.Taken, warnings: p.Warnings}
	for _, row := range p.Rows {
		got.rows = append(got.rows, connection.Row(row))
	}
	// Numbers that contradict the rows would send the cursor to places that do not exist.
	if len(got.rows) > 0 {
		got.total = max(got.total, start+len(got.rows))
	}
	got.total = max(got.total, 0)
	return got, nil
}

func (f *fetcher) kill(ctx context.Context, r request) ([]report, error) {
	all, err := f.source.KillReport(ctx, r.keys, watch)
	if err != nil {
		return nil, err
	}
	reports := make([]report, len(all))
	for i, one := range all {
		reports[i] = reportOf(one, r.keys[i], r.names[i])
	}
	return reports, nil
}

// killAll kills what matches in the snapshot that the user was asked about. What they are called
// is in their keys.
func (f *fetcher) killAll(ctx context.Context, r request) ([]report, error) {
	all, err := f.source.KillMatching(ctx, r.query.filters(), r.snapshot, client.KillOptions{Watch: watch})
	if err != nil {
		return nil, err
	}
	reports := make([]report, len(all))
	for i, one := range all {
		name := "id " + output.Clean(one.ID)
		if row, err := connection.OfKey(one.Key); err == nil {
			name = nameOf(row)
		}
		reports[i] = reportOf(one, one.Key, name)
	}
	return reports, nil
}

func reportOf(one client.Report, key, name string) report {
	r := report{key: key, name: name, outcome: output.Clean(one.Outcome), detail: output.Clean(one.Detail), ended: one.Ended()}
	if one.Outcome == client.OutcomeReturned && one.Detail == "" {
		r.detail = "killed, but it came back"
	}
	return r
}

// change changes one after the other. The first refusal that would meet all others too ends it.
func (f *fetcher) change(ctx context.Context, r request) ([]report, error) {
	var reports []report
	for i, key := range r.keys {
		done := report{key: key, name: r.names[i], outcome: "changed", ended: true}
		if err := f.source.Change(ctx, r.field, key, r.value); err != nil {
			if concernsAll(err) {
				return reports, err
			}
			done.outcome, done.ended = "refused", false
			done.detail = output.Clean(strings.TrimPrefix(troubleOf(err), key+": "))
		}
		reports = append(reports, done)
	}
	return reports, nil
}

// concernsAll says whether a failed change says nothing about the connection it was for.
func concernsAll(err error) bool {
	switch fault(err) {
	case client.FaultUnknown, client.FaultAmbiguous, client.FaultPolicy, client.FaultReplaced, client.FaultKernel, client.FaultFixed:
		return false
	}
	return true
}
