// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"nuconntrack/cmd/nuctl/client"
)

// Source is the server. A *client.Session is one. Safe for concurrent use.
type Source interface {
	Reader
	Actor
}

// Reader reads tables.
type Reader interface {
	Window(ctx context.Context, q client.Query, start, length int, snapshot string) (client.Page, error)
	Groups(ctx context.Context, q client.GroupQuery) (client.Groups, error)
}

// Actor acts on connections.
type Actor interface {
	KillMatching(ctx context.Context, filters map[string]any, snapshot string, o client.KillOptions) ([]client.Report, error)
	KillReport(ctx context.Context, targets []string, watch time.Duration) ([]client.Report, error)
	Change(ctx context.Context, field, target, value string) error
	// Renew logs in again; an empty password stands for the last one.
	Renew(ctx context.Context, password string) error
}

// fetcher makes calls in workers, one for each kind of request, so that a slow one holds up no
// other kind. Of the requests of a kind only the latest counts: one that waits gives way
// to it, and one under way is ended, but for those that act.
type fetcher struct {
	source  Source
	fields  map[string]bool // those that the server has
	answers chan answer
	lanes   map[operation]*lane

	renewing sync.Mutex
	renewed  time.Time // when the session was last begun anew; guarded by renewing
}

// lane is the way of one kind of request to its worker.
type lane struct {
	next   chan request // of capacity 1
	mu     sync.Mutex
	cancel context.CancelFunc // of the call under way; guarded by mu
}

func newFetcher(source Source, fields []string) *fetcher {
	f := &fetcher{source: source, fields: known(fields), answers: make(chan answer, 1), lanes: map[operation]*lane{}}
	for _, op := range []operation{opRefresh, opScroll, opDetail, opKill, opSample, opKillAll, opChange, opLogin} {
		f.lanes[op] = &lane{next: make(chan request, 1)}
	}
	return f
}

// ask passes a request on and never waits. Only one goroutine may call it.
func (f *fetcher) ask(r request) {
	l := f.lanes[r.op]
	if !r.acts() {
		l.mu.Lock()
		if l.cancel != nil {
			l.cancel()
		}
		l.mu.Unlock()
	}
	select {
	case <-l.next:
	default:
	}
	l.next <- r
}

// acts says whether a request does something that must not be cut off.
func (r request) acts() bool { return r.kills() || r.op == opChange || r.op == opLogin }

// run works until ctx ends, and waits for the calls under way.
func (f *fetcher) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, l := range f.lanes {
		wg.Go(func() { f.work(ctx, l) })
	}
	wg.Wait()
}

func (f *fetcher) work(ctx context.Context, l *lane) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-l.next:
			one, cancel := context.WithCancel(ctx)
			l.mu.Lock()
			l.cancel = cancel
			l.mu.Unlock()
			a := f.answer(one, r)
			cancel()
			select {
			case f.answers <- a:
			case <-ctx.Done():
				return
			}
		}
	}
}

// crash is a panic of a worker on its way to the goroutine that can tidy the terminal up.
type crash struct{ text string }

func (c crash) Error() string { return c.text }

func (f *fetcher) answer(ctx context.Context, r request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{request: r, err: crash{fmt.Sprintf("%v\n%s", p, debug.Stack())}}
		}
	}()
	began := time.Now()
	a = f.call(ctx, r)
	if fault(a.err) != client.FaultSession || r.op == opLogin {
		return a
	}
	if err := f.renew(ctx, began); err != nil {
		a.err = err
		return a
	}
	return f.call(ctx, r)
}

// renew logs in again, once for all workers whose calls began before.
func (f *fetcher) renew(ctx context.Context, began time.Time) error {
	f.renewing.Lock()
	defer f.renewing.Unlock()
	if f.renewed.After(began) {
		return nil
	}
	if err := f.source.Renew(ctx, ""); err != nil {
		return err
	}
	f.renewed = time.Now()
	return nil
}

func (f *fetcher) call(ctx context.Context, r request) answer {
	a := answer{request: r}
	switch r.op {
	case opRefresh, opScroll:
		a.page, a.err = f.rows(ctx, r)
	case opDetail:
		q := client.Query{Filters: map[string]any{"key": r.keys[0]}, Fields: f.there(detailFields())}
		a.page, a.err = f.window(ctx, q, 0, 1, r.snapshot)
	case opKill:
		a.reports, a.err = f.kill(ctx, r)
	case opSample:
		q := client.Query{Filters: r.query.filters(), OrderBy: r.query.orderBy, Descending: r.query.desc, Fields: f.there(rowFields())}
		a.page, a.err = f.window(ctx, q, 0, r.length, r.snapshot)
	case opKillAll:
		a.reports, a.err = f.killAll(ctx, r)
	case opChange:
		a.reports, a.err = f.change(ctx, r)
	case opLogin:
		a.err = f.source.Renew(ctx, r.password)
	}
	return a
}
