// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/auth/passwd"
)

func TestNone(t *testing.T) {
	tests := map[string]struct {
		args []any
		want string
	}{
		"nothing":              {nil, Anonymous},
		"name":                 {[]any{"ann"}, "ann"},
		"name and password":    {[]any{"ann", "secret"}, "ann"},
		"name and more":        {[]any{"ann", 1, nil, []any{}, map[string]any{}}, "ann"},
		"number":               {[]any{1, "ann"}, Anonymous},
		"nil":                  {[]any{nil}, Anonymous},
		"struct":               {[]any{map[string]any{"user": "ann"}}, Anonymous},
		"bytes":                {[]any{[]byte("ann")}, Anonymous},
		"empty name":           {[]any{""}, Anonymous},
		"name of two lines":    {[]any{"ann\nlogin of root"}, Anonymous},
		"name turned around":   {[]any{"\u202enna"}, Anonymous},
		"name of a megabyte":   {[]any{strings.Repeat("a", 1<<20)}, Anonymous},
		"name with a colon":    {[]any{"ann:root"}, Anonymous},
		"name that is no text": {[]any{"\xff\xfe"}, Anonymous},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := None{}.Login(t.Context(), Request{Args: test.args, Client: netip.MustParseAddr("192.0.2.1")})
			if err != nil || got != (Identity{User: test.want}) {
				t.Errorf("Login: %+v, %v, want %s", got, err, test.want)
			}
			if err := passwd.CheckName(got.User); err != nil {
				t.Errorf("the name is not acceptable: %v", err)
			}
		})
	}
}

// turns keeps who is in a queue, so that one can leave.
type turns struct {
	*queue
	in chan func()
}

func newTurns(workers, room int) *turns {
	return &turns{queue: newQueue(workers, room), in: make(chan func(), 100)}
}

func (q *turns) enter(ctx context.Context) error {
	leave, err := q.queue.enter(ctx)
	if err == nil {
		q.in <- leave
	}
	return err
}

func (q *turns) leave() { (<-q.in)() }

func TestQueue(t *testing.T) {
	tests := map[string]func(t *testing.T, q *turns){
		"refuses beyond workers and room": func(t *testing.T, q *turns) {
			served := make(chan error, 10)
			for range 2 {
				if err := q.enter(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				go func() { served <- q.enter(t.Context()) }()
			}
			synctest.Wait()
			for range 5 {
				var busy *BusyError
				if err := q.enter(t.Context()); !errors.As(err, &busy) || busy.Retry < 1 {
					t.Errorf("enter: %v, want a BusyError with seconds", err)
				}
			}
			for range 3 {
				q.leave()
				if err := <-served; err != nil {
					t.Errorf("one that waited: %v", err)
				}
			}
			q.leave()
			q.leave()
			if err := q.enter(t.Context()); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		},
		"who gives up makes room": func(t *testing.T, q *turns) {
			for range 2 {
				if err := q.enter(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			gaveUp := make(chan error, 3)
			for range 3 {
				go func() { gaveUp <- q.enter(ctx) }()
			}
			for range 3 {
				if err := <-gaveUp; !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("enter: %v, want the error of the context", err)
				}
			}
			served := make(chan error)
			go func() { served <- q.enter(t.Context()) }()
			synctest.Wait()
			q.leave()
			if err := <-served; err != nil {
				t.Errorf("enter afterwards: %v", err)
			}
		},
		"who has given up is not let in": func(t *testing.T, q *turns) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := q.enter(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("enter: %v", err)
			}
		},
		"who is known has a worker that strangers cannot take": func(t *testing.T, q *turns) {
			for range 5 {
				go q.enter(t.Context())
			}
			synctest.Wait()
			known := preferred(t.Context())
			if err := q.enter(known); err != nil {
				t.Errorf("somebody known: %v", err)
			}
			ctx, cancel := context.WithTimeout(known, time.Second)
			defer cancel()
			if err := q.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second one: %v, want him to wait", err)
			}
			for range 6 {
				q.leave()
			}
		},
		"first come, first served": func(t *testing.T, q *turns) {
			for range 2 {
				if err := q.enter(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			order := make(chan int, 3)
			for i := range 3 {
				go func() {
					if q.enter(t.Context()) == nil {
						order <- i
					}
				}()
				synctest.Wait()
			}
			for want := range 3 {
				q.leave()
				if got := <-order; got != want {
					t.Errorf("turn %d went to %d", want, got)
				}
			}
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { run(t, newTurns(2, 3)) })
		})
	}
}

func TestQueueDefaults(t *testing.T) {
	q := newQueue(0, -1)
	if cap(q.running) != DefaultWorkers || q.room != DefaultQueue {
		t.Errorf("%d workers, room for %d", cap(q.running), q.room)
	}
}
