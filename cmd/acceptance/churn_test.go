// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"
)

const (
	churnRounds = 3 // times of change, each with a quiet moment behind it
	churnWalks  = 3 // whole tables that each client looks at in one of them
	churnPage   = 270
	churnLeast  = 1000 // connections come and go in one, or it goes on
)

// churnFields are enough to know a connection again, and few, since clients share the
// processors with what they look at.
var churnFields = list("key", "id", "mark", "orig_l4proto", "orig_src", "orig_dst", "repl_src", "repl_dst",
	"orig_port_src", "orig_port_dst", "repl_port_src", "repl_port_dst", "zone", "orig_zone", "repl_zone")

// TestTableUnderChange looks at a table in which thousands of connections a second appear
// and vanish. Each has a mark that says what else it must be, so that a row that mixes two
// of them shows at once; some stay, and must be in every table. When all is quiet the table
// is what other tools say.
func TestTableUnderChange(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Sysctl(t, "nf_conntrack_acct", "1")
		nstest.Sysctl(t, "nf_conntrack_timestamp", "1")
		w := newWorld(t, everything)
		looks := []func(*session, int) error{byName, keptTable, singlePages}
		var sessions []*session
		for range looks {
			sessions = append(sessions, w.login(t))
		}
		c := newChurn(t)
		for round := range churnRounds {
			changed, took := c.during(t, func() error { return lookAll(sessions, looks, round) })
			t.Logf("round %d: %d connections came and went, %.0f a second", round, changed, float64(changed)/took.Seconds())
			if changed < churnLeast {
				t.Errorf("only %d connections came and went", changed)
			}
			c.compare(t, sessions[round%len(sessions)], round)
			if t.Failed() {
				return
			}
		}
	})
}

// lookAll lets every client look in its own way, at the same time.
func lookAll(sessions []*session, looks []func(*session, int) error, round int) error {
	failed := make([]error, len(sessions))
	var wg sync.WaitGroup
	for i, s := range sessions {
		wg.Go(func() {
			for n := range churnWalks {
				if err := looks[i](s, round*churnWalks+n); err != nil {
					failed[i] = fmt.Errorf("client %d, round %d, table %d: %w", i, round, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// churnOrder gives another order each time.
func churnOrder(n int) (field, dir string) {
	fields := [...]string{"orig_src", "mark", "byte_rate", "timeout", "id"}
	return fields[n%len(fields)], [...]string{"ASC", "DESC"}[n%2]
}

// byName refreshes, and then asks for page after page of the table by its name.
func byName(s *session, n int) error {
	if _, err := s.ask("refresh"); err != nil {
		return err
	}
	return s.walk(n, churnFields, func(name string) map[string]any { return map[string]any{"snapshot": name} }, nil)
}

// keptTable keeps the table that it has.
func keptTable(s *session, n int) error {
	for _, call := range [...][]any{{"set_autorefresh", 0}, {"refresh"}} {
		if _, err := s.ask(call[0].(string), call[1:]...); err != nil {
			return err
		}
	}
	return s.walk(n, churnFields, func(string) map[string]any { return map[string]any{} }, nil)
}

// singlePages has a table of its own for each page.
func singlePages(s *session, n int) error {
	for i, f := range [...]filters{
		{},
		{"expr": "tcp and not assured"},
		{"proto": "udp", "orig_src": "10.0.0.0/8"},
		{"zone": ">0"},
		{"port": "1024-65535", "mark": ">500"},
	} {
		order, dir := churnOrder(n + i)
		page, err := s.page(f, order, dir, 0, 400, map[string]any{"fields": churnFields})
		if err != nil {
			return err
		}
		found := newFound()
		if err := found.add(page.rows); err != nil {
			return fmt.Errorf("filter %v: %w", f, err)
		}
	}
	return nil
}

// found is what a client saw in one table.
type found struct {
	keys    map[string]bool
	targets map[ipc.Target]bool
	steady  int
}

func newFound() *found {
	return &found{keys: make(map[string]bool), targets: make(map[ipc.Target]bool)}
}

// add wants rows that were not there yet, and each to be one connection and no mixture.
func (f *found) add(rows []row) error {
	for _, r := range rows {
		key, _ := r["key"].(string)
		k, err := knownRow(r)
		if err != nil || key == "" {
			return fmt.Errorf("row %v: %w", r, err)
		}
		if f.keys[key] || f.targets[k.target] {
			return fmt.Errorf("twice: %v", r)
		}
		f.keys[key], f.targets[k.target] = true, true
		want := churned(int(k.mark)).Target
		want.ID = k.target.ID
		if k.target != want {
			return fmt.Errorf("a row of mark %d is %+v, want %+v", k.mark, k.target, want)
		}
		if k.mark < churnSteady {
			f.steady++
		}
	}
	return nil
}

// walk looks at a whole table, page by page, and wants it to have what stays. Options are
// those of the pages behind the first; without fields, rows have all that they may have.
// Rows are handed on to see, which may be nil.
func (s *session) walk(n int, fields []any, options func(name string) map[string]any, see func(row) error) error {
	order, dir := churnOrder(n)
	with, found, name := map[string]any{}, newFound(), ""
	for start, total := 0, 1; start < total; start += churnPage {
		if fields != nil {
			with["fields"] = fields
		}
		page, err := s.page(filters{}, order, dir, start, churnPage, with)
		if err != nil {
			return err
		}
		if name == "" {
			name, total, with = page.name, page.total, options(page.name)
		}
		if page.name != name || page.total != total || page.count != total || len(page.rows) != min(churnPage, total-start) {
			return fmt.Errorf("%d rows from %d of table %s, total %d, count %d; it was %s, total %d",
				len(page.rows), start, page.name, page.total, page.count, name, total)
		}
		if err := found.add(page.rows); err != nil {
			return fmt.Errorf("table %s by %s %s from %d: %w", name, order, dir, start, err)
		}
		for _, r := range page.rows {
			if see != nil {
				if err := see(r); err != nil {
					return err
				}
			}
		}
	}
	if found.steady != churnSteady {
		return fmt.Errorf("table %s has %d of the %d connections that stay", name, found.steady, churnSteady)
	}
	return nil
}

// view is an answer of the method view.
type view struct {
	rows         []row
	total, count int
	name         string
}

func (s *session) page(f filters, order, dir string, start, length int, options map[string]any) (v view, err error) {
	answer, err := s.ask("view", f, order, dir, start, length, options)
	if err != nil {
		return v, err
	}
	m := answer.(map[string]any)
	for _, r := range m["table"].([]any) {
		v.rows = append(v.rows, r.(map[string]any))
	}
	v.total, v.count, v.name = m["total"].(int), m["count"].(int), m["snapshot"].(string)
	return v, nil
}

// ask is for goroutines that must not end a test.
func (s *session) ask(method string, params ...any) (any, error) {
	v, f, err := s.try(document(method, s.with(params)...))
	if err == nil && f.code != 0 {
		err = fmt.Errorf("fault %d %q", f.code, f.text)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	return v, nil
}

// compare compares with the kernel, which must be quiet, what a client sees: the same
// connections with the same values, by ti-mo/conntrack and by conntrack(8). Timeouts run,
// so that those of the client lie between what was listed before and after.
func (c *churn) compare(t *testing.T, s *session, n int) {
	t.Helper()
	daemontest.WaitFor(t, "all connections are there that should be", func() bool { return len(nstest.List(t)) == c.alive() })
	var printed map[known]uint32
	if _, err := exec.LookPath("conntrack"); err == nil {
		printed = c.whole(t, listedByConntrack)
	}
	before := c.whole(t, listedBySyscall)
	rows := make(map[known]uint32)
	s.ok(t, "refresh")
	err := s.walk(n, nil, func(name string) map[string]any { return map[string]any{"snapshot": name} }, func(r row) error {
		k, err := knownRow(r)
		rows[k] = r.number(t, "timeout")
		return err
	})
	if err != nil {
		t.Errorf("in a quiet table: %v", err)
		return
	}
	after := c.whole(t, listedBySyscall)
	wantListed(t, "ti-mo/conntrack", rows, before)
	for k, timeout := range rows {
		if timeout < after[k] {
			t.Errorf("the timeout of %+v is %d, and later %d", k, timeout, after[k])
		}
	}
	if printed == nil {
		t.Log("conntrack(8) is not installed here")
		return
	}
	short := make(map[known]uint32)
	for k, timeout := range rows {
		short[k.asConntrack()] = timeout
	}
	wantListed(t, "conntrack(8)", short, printed)
}

// whole lists until nothing is missing. The kernel has one table of buckets for all namespaces: if
// its size changes, for whomever, a dump that is under way leaves connections out.
func (c *churn) whole(t *testing.T, list func(testing.TB) map[known]uint32) (listed map[known]uint32) {
	t.Helper()
	daemontest.WaitFor(t, "a list of all connections", func() bool { listed = list(t); return len(listed) == c.alive() })
	return listed
}

// wantListed wants rows to be what another tool listed before.
func wantListed(t *testing.T, tool string, rows, listed map[known]uint32) {
	t.Helper()
	for k, timeout := range rows {
		if before, there := listed[k]; !there || timeout > before {
			t.Errorf("with a timeout of %d: %+v; %s lists it: %t, with %d", timeout, k, tool, there, before)
		}
	}
	for k := range listed {
		if _, there := rows[k]; !there {
			t.Errorf("only %s lists %+v", tool, k)
		}
	}
}

// during changes the table as long as look takes, which looks again until enough has changed.
func (c *churn) during(t *testing.T, look func() error) (changed int, took time.Duration) {
	t.Helper()
	stop, enough, stopped := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	from, began := c.next, time.Now()
	go func() { stopped <- c.run(stop, enough) }()
	for again := true; again; {
		if err := look(); err != nil {
			t.Error(err)
			break
		}
		select {
		case <-enough:
			again = false
		default:
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	return c.next - from, time.Since(began)
}
