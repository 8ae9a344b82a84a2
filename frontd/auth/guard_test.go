// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// counting lets in whose password is "right", after the time that a hash takes, and counts
// what it is asked.
type counting struct {
	asked atomic.Int64
	takes time.Duration
	err   error // instead, if not nil
}

func (c *counting) Login(ctx context.Context, req Request) (Identity, error) {
	c.asked.Add(1)
	time.Sleep(c.takes)
	user, password, err := req.Credentials()
	switch {
	case c.err != nil:
		return Identity{}, c.err
	case err != nil:
		return Identity{}, err
	case password != "right":
		return Identity{}, denied("wrong password")
	}
	return Identity{User: user}, nil
}

func from(addr string, args ...any) Request {
	return Request{Args: args, Client: netip.MustParseAddr(addr)}
}

// retry is how many seconds a login has to wait; 0: it was heard.
func retry(err error) int {
	var busy *BusyError
	if errors.As(err, &busy) {
		return busy.Retry
	}
	return 0
}

func TestGuardDelaysGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := &counting{}
		g := NewGuard(GuardConfig{Backend: back})
		try := func(password string) error {
			_, err := g.Login(t.Context(), from("192.0.2.1", "ann", password))
			return err
		}
		for i := range freeFailures {
			if err := try("wrong"); !errors.Is(err, ErrDenied) {
				t.Fatalf("attempt %d: %v", i, err)
			}
		}
		last := 0
		for range 10 {
			err := try("right")
			wait := retry(err)
			if wait < last || wait < 1 || wait > int(maxDelay/time.Second) {
				t.Fatalf("wait of %d after %d seconds: %v", wait, last, err)
			}
			last = wait
			asked := back.asked.Load()
			time.Sleep(time.Duration(wait)*time.Second - time.Millisecond)
			if try("right") == nil || back.asked.Load() != asked {
				t.Fatal("heard too early")
			}
			time.Sleep(time.Millisecond)
			if err := try("wrong"); !errors.Is(err, ErrDenied) {
				t.Fatalf("after the wait: %v", err)
			}
		}
		if last != int(maxDelay/time.Second) {
			t.Errorf("the longest wait is %d s", last)
		}
		time.Sleep(maxDelay)
		if err := try("right"); err != nil {
			t.Errorf("the right password after the wait: %v", err)
		}
		for range freeFailures - 1 {
			try("wrong")
		}
		if err := try("right"); err != nil {
			t.Errorf("a success has not forgiven: %v", err)
		}
	})
}

// TestGuardOthersGetIn is what the delays must not do.
func TestGuardOthersGetIn(t *testing.T) {
	tests := map[string]struct {
		attackers int // addresses
		attacker  func(i int) Request
		admin     Request
	}{
		"one source at one account": {1, func(int) Request { return from("192.0.2.1", "admin", "wrong") }, from("192.0.2.2", "admin", "right")},
		"many sources at one account": {200, func(i int) Request {
			return from(fmt.Sprintf("198.51.100.%d", i), "admin", "wrong")
		}, from("192.0.2.2", "admin", "right")},
		"one IPv6 network": {200, func(i int) Request {
			return from(fmt.Sprintf("2001:db8::%x", i), "admin", "wrong")
		}, from("2001:db8:0:1::1", "admin", "right")},
		"one source at many accounts": {1, func(i int) Request {
			return from("192.0.2.1", fmt.Sprint("user", i), "wrong")
		}, from("192.0.2.2", "admin", "right")},
		"another user of the machine": {1, func(int) Request {
			return Request{Unix: true, Peer: &Peer{UID: 1}, Args: []any{"admin", "wrong"}}
		}, Request{Unix: true, Peer: &Peer{UID: 2}, Args: []any{"admin", "right"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewGuard(GuardConfig{Backend: &counting{}})
				for i := range 5000 {
					g.Login(t.Context(), test.attacker(i%max(test.attackers, 200)))
				}
				if _, err := g.Login(t.Context(), test.admin); err != nil {
					t.Errorf("the admin is kept out: %v", err)
				}
			})
		})
	}
}

func TestGuardHearsFew(t *testing.T) {
	tests := map[string]struct {
		request func(i int) Request
		most    int64 // in an hour of hammering
	}{
		// Once a minute at last, and the first few.
		"one account":                {func(int) Request { return from("192.0.2.1", "admin", "wrong") }, 75},
		"many accounts":              {func(i int) Request { return from("192.0.2.1", fmt.Sprint("user", i), "wrong") }, 90},
		"the same in another case":   {func(i int) Request { return from("192.0.2.1", []string{"admin", "ADMIN", "Admin"}[i%3], "wrong") }, 75},
		"names that nobody can have": {func(i int) Request { return from("192.0.2.1", fmt.Sprintf("\x00%d", i), "wrong") }, 75},
		"one IPv6 network":           {func(i int) Request { return from(fmt.Sprintf("2001:db8::%x", i), "admin", "wrong") }, 75},
		"IPv4 in IPv6":               {func(i int) Request { return from([]string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2], "admin", "wrong") }, 75},
		"with an account of one's own": {func(i int) Request {
			if i%3 == 0 {
				return from("192.0.2.1", "mallory", "right")
			}
			return from("192.0.2.1", fmt.Sprint("user", i), "wrong")
		}, 90 + 36000}, // his own logins count too: they are not failures
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				back := &counting{}
				g := NewGuard(GuardConfig{Backend: back})
				for i := range 36000 {
					g.Login(t.Context(), test.request(i))
					time.Sleep(100 * time.Millisecond)
				}
				if n := back.asked.Load(); n > test.most || n < freeFailures {
					t.Errorf("%d attempts were heard in an hour, want at most %d", n, test.most)
				}
			})
		})
	}
}

func TestGuardUnderAttackHasLessPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGuard(GuardConfig{Backend: &counting{}})
		for i := range freeOfAccount {
			g.Login(t.Context(), from(fmt.Sprintf("198.51.100.%d", i), "admin", "wrong"))
		}
		g.Login(t.Context(), from("192.0.2.9", "admin", "wrong"))
		if _, err := g.Login(t.Context(), from("192.0.2.9", "admin", "wrong")); retry(err) < 1 {
			t.Errorf("a second guess at an account under attack is heard at once: %v", err)
		}
		if _, err := g.Login(t.Context(), from("192.0.2.9", "ann", "wrong")); retry(err) != 0 {
			t.Errorf("a first mistake at another account: %v", err)
		}
	})
}

// TestGuardKnowsWhoWasThere: behind one address are many people.
func TestGuardKnowsWhoWasThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGuard(GuardConfig{Backend: &counting{}})
		if _, err := g.Login(t.Context(), from("192.0.2.1", "ann", "right")); err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			g.Login(t.Context(), from("192.0.2.1", fmt.Sprint("user", i), "wrong"))
		}
		if _, err := g.Login(t.Context(), from("192.0.2.1", "bob", "right")); retry(err) < 1 {
			t.Errorf("a stranger from the source of an attack: %v", err)
		}
		if _, err := g.Login(t.Context(), from("192.0.2.1", "ann", "right")); err != nil {
			t.Errorf("somebody who was there before: %v", err)
		}
		time.Sleep(rememberFor + time.Minute)
		for i := range 1000 {
			g.Login(t.Context(), from("192.0.2.1", fmt.Sprint("user", i), "wrong"))
		}
		if _, err := g.Login(t.Context(), from("192.0.2.1", "ann", "right")); retry(err) < 1 {
			t.Errorf("somebody who was there yesterday: %v", err)
		}
	})
}

// TestGuardBurst: a thousand at once are not heard before the first has failed.
func TestGuardBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := &counting{takes: 50 * time.Millisecond}
		g := NewGuard(GuardConfig{Backend: back})
		var refused atomic.Int64
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if _, err := g.Login(t.Context(), from("192.0.2.1", "admin", "wrong")); retry(err) > 0 {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if n := back.asked.Load(); n >= atOnce+freeFailures {
			t.Errorf("%d were heard", n)
		}
		if n := refused.Load(); n != 1000-back.asked.Load() {
			t.Errorf("%d were refused", n)
		}
		if len(g.lines) != 0 {
			t.Errorf("%d lines are left", len(g.lines))
		}
	})
}

func TestGuardCountsWrongPasswordsOnly(t *testing.T) {
	for name, err := range map[string]error{
		"arguments": ErrArguments,
		"busy":      &BusyError{Retry: 2},
		"down":      &DownError{Backend: "ldap", Err: errors.New("x")},
		"gone":      context.Canceled,
		"internal":  errors.New("x"),
	} {
		t.Run(name, func(t *testing.T) {
			back := &counting{err: err}
			g := NewGuard(GuardConfig{Backend: back})
			for range 100 {
				if _, got := g.Login(t.Context(), from("192.0.2.1", "ann", "x")); !errors.Is(got, err) {
					t.Fatalf("got %v", got)
				}
			}
			if back.asked.Load() != 100 {
				t.Errorf("only %d were heard", back.asked.Load())
			}
		})
	}
}

func TestGuardThoseWhoLeaveMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGuard(GuardConfig{Backend: &counting{takes: time.Minute}})
		for range atOnce {
			go g.Login(t.Context(), from("192.0.2.1", "ann", "right"))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		left := make(chan error, inLine)
		for range inLine {
			go func() {
				_, err := g.Login(ctx, from("192.0.2.1", "ann", "right"))
				left <- err
			}()
		}
		synctest.Wait()
		if _, err := g.Login(t.Context(), from("192.0.2.1", "ann", "right")); retry(err) != 1 {
			t.Errorf("one more than fits: %v", err)
		}
		for range inLine {
			if err := <-left; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("one who left: %v", err)
			}
		}
		if _, err := g.Login(t.Context(), from("192.0.2.1", "ann", "right")); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		synctest.Wait()
		if len(g.lines) != 0 {
			t.Error("a line is left")
		}
	})
}

// TestLedgerIsBounded: what an attacker makes up takes no more than so much memory, and pushes
// out the oldest first.
func TestLedgerIsBounded(t *testing.T) {
	l := newLedger[int](100, time.Minute)
	now := time.Unix(1000, 0)
	for i := range 10000 {
		l.add(i, now)
	}
	if len(l.entries) != 100 || l.order.Len() != 100 || l.has(9899, now) || !l.has(9900, now) {
		t.Errorf("%d entries, %d in order", len(l.entries), l.order.Len())
	}
	l.add(1, now.Add(2*time.Minute))
	if len(l.entries) != 1 {
		t.Errorf("%d entries are left of old times", len(l.entries))
	}
}
