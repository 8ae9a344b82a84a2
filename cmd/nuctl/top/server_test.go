// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
)

// fakeServer is a Source with as many connections as a test wants. The connection i sorts at
// place i, or counted from the end when the order is descending.
type fakeServer struct {
	mu       sync.Mutex
	rows     int
	gone     map[int]bool
	shift    int // how many new connections stand before the others
	snapshot int
	held     int // the oldest snapshot that is held
	fail     error
	hold     chan struct{} // not nil: answers wait until it is closed
	hostile  bool
	panics   bool
	calls    []string
	killed   []string
	password string // that Renew wants; empty takes any
}

func fault1(code int, text string) error {
	return &client.Error{Kind: client.Faulted, Method: "view", Server: "fw:8580", Code: code, Text: text}
}

func (f *fakeServer) row(i int) map[string]any {
	row := map[string]any{
		"id": strconv.Itoa(i + 1), "key": fmt.Sprintf("k%d", i), "proto": "tcp", "state": "ESTABLISHED",
		"orig_src": fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255), "orig_port_src": int64(1024 + i%60000),
		"orig_dst": "192.0.2.1", "orig_port_dst": int64(443), "byte_rate": strconv.Itoa(i), "timeout": "431999", "mark": "16",
		"orig_counter_bytes": "1000", "repl_counter_bytes": "2000",
	}
	if f.hostile {
		row["proto"] = "[fuchsia]\x1b[31mtcp[-]"
		row["state"] = "[::r]\u202eevil\x07[\"region\"]"
		row["orig_src"] = "\x9b2J\r\n10.0.0.1"
	}
	return row
}

func (f *fakeServer) Window(ctx context.Context, q client.Query, start, length int, snapshot string) (client.Page, error) {
	f.mu.Lock()
	if f.panics {
		f.mu.Unlock()
		panic("source broken")
	}
	f.calls = append(f.calls, fmt.Sprintf("%v %s %v %d %d %s", q.Filters, q.OrderBy, q.Descending, start, length, snapshot))
	hold := f.hold
	f.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return client.Page{}, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return client.Page{}, f.fail
	}
	if snapshot == "" {
		f.snapshot++
		snapshot = fmt.Sprintf("s%d", f.snapshot)
	} else if n, _ := strconv.Atoi(snapshot[1:]); n < f.held {
		return client.Page{}, fault1(client.FaultSnapshot, "that snapshot is no longer held")
	}
	if key, ok := q.Filters["key"].(string); ok {
		i, _ := strconv.Atoi(key[1:])
		page := client.Page{Snapshot: snapshot, Count: f.rows}
		if !f.gone[i] {
			page.Rows, page.Total = []map[string]any{f.row(i)}, 1
		}
		return page, nil
	}
	page := client.Page{Snapshot: snapshot, Total: f.rows + f.shift - len(f.gone), Count: f.rows + f.shift - len(f.gone),
		Taken: "2026-01-02T03:04:05.678Z", Warnings: []string{"accounting: off"}}
	at := 0
	first := -f.shift
	if len(f.gone) == 0 {
		at, first = start, start-f.shift
	}
	for i := first; i < f.rows && at < start+length; i++ {
		if f.gone[i] {
			continue
		}
		if at >= start {
			page.Rows = append(page.Rows, f.row(i))
		}
		at++
	}
	return page, nil
}

func (f *fakeServer) Groups(_ context.Context, q client.GroupQuery) (client.Groups, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("groups %s %v %s %v", q.By, q.Filters, q.OrderBy, q.Ascending))
	return client.Groups{
		Groups: []client.Group{{Value: "10.0.0.1", Connections: 7, Rate: "5000"}, {Value: "10.0.0.2", Connections: 3}},
		All:    client.Totals{Connections: 10, Rate: "5000"}, Without: 2, Total: 2, Count: 12, Snapshot: "g1",
	}, nil
}

// KillMatching kills all of a snapshot that is held, but the second.
func (f *fakeServer) KillMatching(_ context.Context, filters map[string]any, snapshot string, _ client.KillOptions) ([]client.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("kill_matching %v %s", filters, snapshot))
	if n, _ := strconv.Atoi(snapshot[1:]); n < f.held {
		return nil, fault1(client.FaultSnapshot, "that snapshot is no longer held")
	}
	var reports []client.Report
	for i := range f.rows {
		r := client.Report{ID: strconv.Itoa(i), Key: fmt.Sprintf("k%d", i), Outcome: client.OutcomeKilled}
		if i == 1 {
			r.Outcome, r.Detail = client.OutcomeForbidden, "this very call came in on the connection"
		}
		reports = append(reports, r)
	}
	return reports, nil
}

func (f *fakeServer) KillReport(_ context.Context, keys []string, _ time.Duration) ([]client.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.killed = append(f.killed, keys...)
	var reports []client.Report
	for i, key := range keys {
		r := client.Report{Key: key, Outcome: client.OutcomeKilled}
		if i%2 == 1 {
			r.Outcome, r.Detail = client.OutcomeReturned, ""
		}
		reports = append(reports, r)
	}
	return reports, nil
}

func (f *fakeServer) Change(_ context.Context, field, key, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("change %s %s %s", field, key, value))
	if key == "k1" {
		return fault1(client.FaultPolicy, "k1: refused by the helper's policy: the rule management protects the connection")
	}
	return nil
}

func (f *fakeServer) Renew(_ context.Context, password string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "renew")
	if f.password != "" && password != f.password {
		return fault1(client.FaultAuthentication, "authentication failed")
	}
	f.fail = nil
	return nil
}

func (f *fakeServer) made() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// do changes the server while nobody asks it.
func (f *fakeServer) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// configOf is for an administrator of a server.
func configOf(f *fakeServer) Config {
	names := []string{"orig_src", "orig_dst", "repl_src", "repl_dst", "proto"}
	for _, field := range connection.Fields() {
		names = append(names, field.Name)
	}
	return Config{
		Source: f, Server: "https://fw:8580/RPC2", Fields: names, Colours: true, Unicode: true,
		Identity: client.Identity{User: "eve", Role: "admin", Methods: []string{"kill_report", "kill_matching", "change", "groups", "view"}},
	}
}

// bench is a state with a server that answers when the test says so.
type bench struct {
	*state
	server *fakeServer
	fetch  *fetcher
	now    time.Time
}

func newBench(f *fakeServer, c Config) *bench {
	b := &bench{state: newState(c), server: f, fetch: newFetcher(f, c.Fields), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	b.resize(20)
	b.state.tick(b.now)
	return b
}

// answers lets the server answer all that is asked, and what that leads to.
func (b *bench) answers() {
	for all := b.requests(); len(all) > 0; all = b.requests() {
		for _, r := range all {
			b.take(b.fetch.answer(context.Background(), r))
		}
	}
}

// later lets time pass, and the server answer.
func (b *bench) later(d time.Duration) {
	b.now = b.now.Add(d)
	b.state.tick(b.now)
	b.answers()
}
