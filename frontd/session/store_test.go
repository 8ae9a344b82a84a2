// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"context"
	"errors"
	"fmt"
	"regexp"
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

// TestTime runs each rule on a store of 10 s and 60 s. What a session must survive and
// when it must be gone is seen by a client (Peek, Acquire) and by OnEnd.
func TestTime(t *testing.T) {
	cfg := Config[int]{Timeout: 10 * time.Second, Lifetime: time.Minute}
	tests := map[string]func(t *testing.T, s *Store[int], e *ends, id string){
		"unused, it ends 10 s after login": func(t *testing.T, s *Store[int], e *ends, id string) {
			time.Sleep(10*time.Second - 1)
			if !s.Peek(id) {
				t.Error("gone too early")
			}
			time.Sleep(1)
			wantGone(t, s, id)
		},
		"peeking does not keep it": func(t *testing.T, s *Store[int], e *ends, id string) {
			for range 10 {
				if !s.Peek(id) {
					t.Fatal("gone too early")
				}
				time.Sleep(time.Second)
			}
			wantGone(t, s, id)
		},
		"a call starts the 10 s anew": func(t *testing.T, s *Store[int], e *ends, id string) {
			time.Sleep(9 * time.Second)
			acquire(t, s, id)()
			time.Sleep(9 * time.Second)
			acquire(t, s, id)()
			time.Sleep(10 * time.Second)
			wantGone(t, s, id)
		},
		"the 10 s run from the end of a long call": func(t *testing.T, s *Store[int], e *ends, id string) {
			release := acquire(t, s, id)
			time.Sleep(30 * time.Second)
			release()
			time.Sleep(10*time.Second - 1)
			if !s.Peek(id) {
				t.Error("gone too early")
			}
			time.Sleep(1)
			wantGone(t, s, id)
		},
		"of two calls the one that ends last counts": func(t *testing.T, s *Store[int], e *ends, id string) {
			first, second := acquire(t, s, id), acquire(t, s, id)
			time.Sleep(5 * time.Second)
			first()
			time.Sleep(20 * time.Second)
			if !s.Peek(id) {
				t.Error("gone while a call runs")
			}
			second()
			time.Sleep(10 * time.Second)
			wantGone(t, s, id)
		},
		"releasing twice is releasing once": func(t *testing.T, s *Store[int], e *ends, id string) {
			first, second := acquire(t, s, id), acquire(t, s, id)
			first()
			first()
			time.Sleep(20 * time.Second)
			if !s.Peek(id) {
				t.Error("gone while a call runs")
			}
			second()
		},
		"a late second release does not start the clock again": func(t *testing.T, s *Store[int], e *ends, id string) {
			release := acquire(t, s, id)
			release()
			time.Sleep(9 * time.Second)
			release()
			time.Sleep(time.Second)
			wantGone(t, s, id)
		},
		"lifetime ends it though calls keep coming": func(t *testing.T, s *Store[int], e *ends, id string) {
			for range 59 {
				time.Sleep(time.Second)
				acquire(t, s, id)()
			}
			time.Sleep(time.Second)
			wantGone(t, s, id)
		},
		"lifetime ends it during a call, which keeps it": func(t *testing.T, s *Store[int], e *ends, id string) {
			release := acquire(t, s, id)
			time.Sleep(time.Minute)
			wantGone(t, s, id)
			if got := e.string(); got != "" {
				t.Errorf("OnEnd during a call: %q", got)
			}
			release()
			if got := e.string(); got != "ann" {
				t.Errorf("OnEnd after the call: %q", got)
			}
		},
		"logout during a call, which keeps it": func(t *testing.T, s *Store[int], e *ends, id string) {
			release := acquire(t, s, id)
			if !s.End(id) {
				t.Error("End: false for a living session")
			}
			wantGone(t, s, id)
			if got := e.string(); got != "" {
				t.Errorf("OnEnd during a call: %q", got)
			}
			release()
			release()
			if got := e.string(); got != "ann" {
				t.Errorf("OnEnd after the call: %q", got)
			}
		},
		"logout twice": func(t *testing.T, s *Store[int], e *ends, id string) {
			s.End(id)
			if s.End(id) {
				t.Error("End: true for an ended session")
			}
			if got := e.string(); got != "ann" {
				t.Errorf("OnEnd: %q", got)
			}
		},
		"logout too late": func(t *testing.T, s *Store[int], e *ends, id string) {
			time.Sleep(10 * time.Second)
			if s.End(id) {
				t.Error("End: true for an expired session")
			}
		},
		"freed though nobody asks": func(t *testing.T, s *Store[int], e *ends, id string) {
			time.Sleep(10*time.Second + sweepEvery)
			synctest.Wait()
			if got := e.string(); got != "ann" {
				t.Errorf("OnEnd: %q", got)
			}
			if len(s.live) != 0 || len(s.byUser) != 0 || s.count != 0 {
				t.Errorf("left behind: %d live, %d users, %d counted", len(s.live), len(s.byUser), s.count)
			}
		},
		"freed after a call though nobody asks": func(t *testing.T, s *Store[int], e *ends, id string) {
			release := acquire(t, s, id)
			time.Sleep(15 * time.Second)
			release()
			time.Sleep(10*time.Second + sweepEvery)
			synctest.Wait()
			if got := e.string(); got != "ann" {
				t.Errorf("OnEnd: %q", got)
			}
		},
		"each of many is freed in its turn": func(t *testing.T, s *Store[int], e *ends, id string) {
			for _, user := range []string{"bob", "cid", "dan"} {
				time.Sleep(time.Second)
				create(t, s, user)
			}
			time.Sleep(8*time.Second + sweepEvery)
			synctest.Wait()
			if got := e.string(); got != "ann,bob" {
				t.Errorf("OnEnd: %q", got)
			}
			time.Sleep(2*time.Second + sweepEvery)
			synctest.Wait()
			if got := e.string(); got != "ann,bob,cid,dan" {
				t.Errorf("OnEnd: %q", got)
			}
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, e := running(t, cfg)
				run(t, s, e, create(t, s, "ann"))
			})
		})
	}
}

func TestDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := running(t, Config[int]{Timeout: -1, Lifetime: -1, PerUser: -1, Max: -1})
		id := create(t, s, "ann")
		time.Sleep(DefaultTimeout - 1)
		release := acquire(t, s, id)
		time.Sleep(DefaultLifetime - DefaultTimeout)
		if !s.Peek(id) {
			t.Error("gone before the default lifetime")
		}
		time.Sleep(1)
		wantGone(t, s, id)
		release()
		for range DefaultPerUser {
			create(t, s, "bob")
		}
		if _, _, err := s.Create(Login{User: "bob"}); err == nil {
			t.Error("no default bound per user")
		}
		for i := DefaultPerUser; i < DefaultMax; i++ {
			create(t, s, fmt.Sprint("user", i))
		}
		if _, _, err := s.Create(Login{User: "late"}); err == nil {
			t.Error("no default bound in all")
		}
	})
}

func TestWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config[int]{Max: 1})
		id := create(t, s, "ann")
		time.Sleep(DefaultTimeout)
		wantGone(t, s, id)
		create(t, s, "bob")
	})
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

func TestIDs(t *testing.T) {
	s := New(Config[int]{PerUser: 20000, Max: 20000})
	form := regexp.MustCompile(`^[b-df-hj-np-t]{64}$`)
	seen := make(map[string]bool)
	used := make(map[rune]bool)
	for range 10000 {
		id := create(t, s, "ann")
		if !form.MatchString(id) {
			t.Fatalf("id %q is not of the form", id)
		}
		if seen[id] {
			t.Fatalf("id %q twice", id)
		}
		seen[id] = true
		for _, r := range id {
			used[r] = true
		}
	}
	if len(used) != len(alphabet) {
		t.Errorf("%d letters used, want %d", len(used), len(alphabet))
	}
	for id := range seen {
		if !s.Peek(id) {
			t.Fatal("a session is not found by its id")
		}
	}
}

func TestForeignIDs(t *testing.T) {
	s := New(Config[int]{})
	id := create(t, s, "ann")
	key, _ := digestOf(id)
	tests := map[string]string{
		"empty":             "",
		"none such":         newID(),
		"its prefix":        id[:idLetters-1],
		"longer":            id + "b",
		"upper case":        strings.ToUpper(id),
		"trailing newline":  id + "\n",
		"spaces around":     " " + id + " ",
		"its digest":        string(key[:]),
		"digest in hex":     fmt.Sprintf("%x", key),
		"megabytes":         strings.Repeat("b", 4<<20),
		"one letter is off": id[:idLetters-1] + string(alphabet[(strings.IndexByte(alphabet, id[idLetters-1])+1)%16]),
	}
	for name, wrong := range tests {
		t.Run(name, func(t *testing.T) {
			wantGone(t, s, wrong)
			if s.End(wrong) {
				t.Error("End: true")
			}
		})
	}
	if !s.Peek(id) {
		t.Error("the session did not survive")
	}
}

func TestNothingPrintsTheID(t *testing.T) {
	s := New(Config[int]{})
	id, sess, err := s.Create(Login{User: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	if dump := fmt.Sprintf("%+v %+v %#v", s, sess, s.live); strings.Contains(dump, id) {
		t.Error("the id stands in a dump of the store")
	}
}

func TestConcurrentCalls(t *testing.T) {
	e := &ends{}
	s := New(Config[int]{OnEnd: e.add})
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
