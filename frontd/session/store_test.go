// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ends records which sessions OnEnd was called for, by user.
type ends struct {
	mu    sync.Mutex
	calls map[*Session[int]]int
	users []string
}

func (e *ends) add(s *Session[int]) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.calls == nil {
		e.calls = make(map[*Session[int]]int)
	}
	e.calls[s]++
	e.users = append(e.users, s.User)
}

func (e *ends) string() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.users, ",")
}

// running starts a store with a running Run and joins it at the end of the test.
func running(t *testing.T, cfg Config[int]) (*Store[int], *ends) {
	t.Helper()
	e := &ends{}
	cfg.OnEnd = e.add
	s := New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	joined := make(chan error, 1)
	go func() { joined <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-joined; err != nil {
			t.Errorf("Run: %v", err)
		}
		for sess, n := range e.calls {
			if n != 1 {
				t.Errorf("OnEnd called %d times for a session of %s", n, sess.User)
			}
		}
	})
	synctest.Wait()
	return s, e
}

func create(t *testing.T, s *Store[int], user string) string {
	t.Helper()
	id, _, err := s.Create(Login{User: user, Client: "192.0.2.1"})
	if err != nil {
		t.Fatalf("Create(%s): %v", user, err)
	}
	return id
}

func acquire(t *testing.T, s *Store[int], id string) func() {
	t.Helper()
	_, release, err := s.Acquire(id)
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	return release
}

func wantGone(t *testing.T, s *Store[int], id string) {
	t.Helper()
	if s.Peek(id) {
		t.Error("Peek: the session lives")
	}
	if _, _, err := s.Acquire(id); !errors.Is(err, ErrUnknown) {
		t.Errorf("Acquire: %v, want ErrUnknown", err)
	}
}

func TestBounds(t *testing.T) {
	wantLimit := func(t *testing.T, s *Store[int], user string, want LimitError) {
		t.Helper()
		id, sess, err := s.Create(Login{User: user})
		var limit *LimitError
		if !errors.As(err, &limit) || *limit != want {
			t.Errorf("Create(%s): %v, want %v", user, err, &want)
		}
		if id != "" || sess != nil {
			t.Error("Create: a session beside the error")
		}
	}
	tests := map[string]func(t *testing.T, s *Store[int]){
		"per user": func(t *testing.T, s *Store[int]) {
			create(t, s, "ann")
			time.Sleep(3500 * time.Millisecond)
			create(t, s, "ann")
			wantLimit(t, s, "ann", LimitError{PerUser: true, Limit: 2, Retry: 7})
			create(t, s, "bob")
		},
		"in all": func(t *testing.T, s *Store[int]) {
			create(t, s, "ann")
			create(t, s, "bob")
			create(t, s, "cid")
			time.Sleep(10*time.Second - 1)
			wantLimit(t, s, "dan", LimitError{Limit: 3, Retry: 1})
		},
		"all of them in use": func(t *testing.T, s *Store[int]) {
			for range 2 {
				acquire(t, s, create(t, s, "ann"))
			}
			wantLimit(t, s, "ann", LimitError{PerUser: true, Limit: 2, Retry: 10})
		},
		"those that live longer than others": func(t *testing.T, s *Store[int]) {
			for range 2 {
				if _, _, err := s.Create(Login{User: "ann", Timeout: 40 * time.Second}); err != nil {
					t.Fatal(err)
				}
			}
			wantLimit(t, s, "ann", LimitError{PerUser: true, Limit: 2, Retry: 40})
		},
		"ended sessions with a call still running": func(t *testing.T, s *Store[int]) {
			var release func()
			for range 2 {
				id := create(t, s, "ann")
				release = acquire(t, s, id)
				s.End(id)
			}
			wantLimit(t, s, "ann", LimitError{PerUser: true, Limit: 2, Retry: 10})
			release()
			create(t, s, "ann")
		},
		"logout makes room": func(t *testing.T, s *Store[int]) {
			create(t, s, "ann")
			s.End(create(t, s, "ann"))
			create(t, s, "ann")
		},
		"expiry makes room at once": func(t *testing.T, s *Store[int]) {
			create(t, s, "ann")
			create(t, s, "ann")
			time.Sleep(10 * time.Second)
			create(t, s, "ann")
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := running(t, Config[int]{PerUser: 2, Max: 3})
				run(t, s)
			})
		})
	}
}

func TestRunEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &ends{}
		s := New(Config[int]{OnEnd: e.add})
		ctx, cancel := context.WithCancel(t.Context())
		joined := make(chan error, 1)
		go func() { joined <- s.Run(ctx) }()
		idle, busy := create(t, s, "idle"), create(t, s, "busy")
		release := acquire(t, s, busy)
		cancel()
		if err := <-joined; err != nil {
			t.Errorf("Run: %v", err)
		}
		wantGone(t, s, idle)
		wantGone(t, s, busy)
		if got := e.string(); got != "idle" {
			t.Errorf("OnEnd: %q, want that of the idle one only", got)
		}
		if _, _, err := s.Create(Login{User: "late"}); !errors.Is(err, ErrClosed) {
			t.Errorf("Create after Run: %v", err)
		}
		release()
		if got := e.string(); got != "idle,busy" {
			t.Errorf("OnEnd: %q", got)
		}
	})
}

func TestOnEndMayUseStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *Store[int]
		again := 0
		s = New(Config[int]{OnEnd: func(*Session[int]) {
			if again++; again == 1 {
				s.End(create(t, s, "ann"))
			}
		}})
		s.End(create(t, s, "ann"))
		if again != 2 {
			t.Errorf("OnEnd called %d times, want 2", again)
		}
	})
}

func TestConcurrentCalls(t *testing.T) {
	e := &ends{}
	s := New(Config[int]{OnEnd: e.add, Timeout: time.Hour})
	id := create(t, s, "ann")
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 200 {
				sess, release, err := s.Acquire(id)
				if err != nil {
					t.Errorf("Acquire: %v", err)
					return
				}
				sess.Do(func(n *int) { *n++ })
				release()
			}
		})
	}
	all.Wait()
	sess, release, err := s.Acquire(id)
	if err != nil {
		t.Fatal(err)
	}
	sess.Do(func(n *int) {
		if *n != 16*200 {
			t.Errorf("state is %d after %d calls", *n, 16*200)
		}
	})
	var enders sync.WaitGroup
	for range 8 {
		enders.Go(func() { s.End(id) })
	}
	enders.Go(release)
	enders.Wait()
	if e.string() != "ann" {
		t.Errorf("OnEnd: %q, want once", e.string())
	}
}
