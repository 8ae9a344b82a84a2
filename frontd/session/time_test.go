// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

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
			time.Sleep(time.Nanosecond)
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
		"a glance does not keep it, whether it runs or not": func(t *testing.T, s *Store[int], e *ends, id string) {
			_, over, err := s.Glance(id)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(9 * time.Second)
			over()
			if _, _, err = s.Glance(id); err != nil {
				t.Fatal("gone too early")
			}
			time.Sleep(time.Second)
			wantGone(t, s, id)
		},
		"a glance beside a call takes nothing from it": func(t *testing.T, s *Store[int], e *ends, id string) {
			release := acquire(t, s, id)
			_, over, err := s.Glance(id)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
			release()
			time.Sleep(5 * time.Second)
			over()
			time.Sleep(5*time.Second - 1)
			if !s.Peek(id) {
				t.Error("gone too early")
			}
			time.Sleep(time.Nanosecond)
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
			time.Sleep(time.Nanosecond)
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
		time.Sleep(time.Nanosecond)
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

// TestTimeoutOfItsOwn: a login may ask for another timeout than the others have, but outlives
// the lifetime by it no more than they do.
func TestTimeoutOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config[int]{Timeout: 10 * time.Second, Lifetime: time.Hour})
		short, _, err := s.Create(Login{User: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		long, _, err := s.Create(Login{User: "ann", Timeout: 15 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second)
		if s.Peek(short) || !s.Peek(long) {
			t.Error("the one lives, or the other does not")
		}
		for range 4 {
			time.Sleep(14 * time.Minute)
			_, release, err := s.Acquire(long)
			if err != nil {
				t.Fatal(err)
			}
			release()
		}
		time.Sleep(4 * time.Minute)
		if s.Peek(long) {
			t.Error("it outlives its lifetime")
		}
		long, _, err = s.Create(Login{User: "ann", Timeout: 15 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(15*time.Minute + time.Nanosecond)
		if s.Peek(long) {
			t.Error("it outlives its timeout")
		}
	})
}
