// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/ipc"
)

type refusing struct{ err error }

func (r refusing) Login(context.Context, auth.Request) (auth.Identity, error) {
	return auth.Identity{}, r.err
}

func service(h *helpertest.Helper, b auth.Backend) *Service {
	return New(Config{
		Helper: h, Backend: b, Log: slog.New(slog.DiscardHandler),
		RoleOf: func(user string) string {
			return map[string]string{"ghost": "no-such-role"}[user] + map[bool]string{true: "operator"}[user != "ghost"]
		},
	})
}

func code(err error) int {
	if f, ok := AsFault(err); ok {
		return f.Code
	}
	return 0
}

func TestLoginFaults(t *testing.T) {
	tests := map[string]struct {
		err  error
		code int
	}{
		"denied":          {fmt.Errorf("%w: secret detail", auth.ErrDenied), CodeAuthentication},
		"wrong arguments": {auth.ErrArguments, CodeParams},
		"busy":            {&auth.BusyError{Retry: 3}, CodeTooMany},
		"backend down":    {&auth.DownError{Backend: "file", Err: errors.New("secret path")}, CodeAuthentication},
		"anything else":   {errors.New("secret"), CodeAuthentication},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := service(&helpertest.Helper{}, refusing{test.err}).Login(t.Context(), auth.Request{Args: []any{"a", "b"}}, Caller{})
			if code(err) != test.code || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want code %d", err, test.code)
			}
		})
	}
	if _, err := service(&helpertest.Helper{}, auth.None{}).Login(t.Context(), auth.Request{Args: []any{"ghost"}}, Caller{}); code(err) != CodeAuthentication {
		t.Errorf("a role that is not there: %v", err)
	}
}

// TestSessionLetsItsTableGo: what a session held is nobody's once it has ended.
func TestSessionLetsItsTableGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &helpertest.Helper{}
		h.Add(helpertest.Port(6, 1, "192.0.2.1:1", "192.0.2.2:2"))
		s := service(h, auth.None{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()

		id, err := s.Login(ctx, auth.Request{}, Caller{})
		if err != nil {
			t.Fatal(err)
		}
		call, err := s.Begin(id, Caller{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := call.View(ctx, ViewRequest{Length: 10})
		if err != nil || len(v.Rows) != 1 {
			t.Fatalf("%v, %v", v, err)
		}
		call.End()
		time.Sleep(9 * time.Second)
		if _, held := s.tables.Held(v.Table.Name()); !held {
			t.Error("the session lives, and its table is gone")
		}
		time.Sleep(2 * time.Minute)
		if _, held := s.tables.Held(v.Table.Name()); held {
			t.Error("the session has ended long ago, and its table is held")
		}
		if _, err := s.Begin(id, Caller{}); code(err) != CodeSession {
			t.Errorf("session after its end: %v", err)
		}
		if n := h.Dumps(); n != 1 {
			t.Errorf("%d dumps for one view", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestSum(t *testing.T) {
	if err := sum(nil, "killed", 3); err != nil {
		t.Errorf("nothing failed: %v", err)
	}
	long := make([]failure, 20000)
	for i := range long {
		long[i] = failure{fmt.Sprintf("k%040d", i), faultOf(ipc.Result{Outcome: ipc.Protected, Rule: "ssh"})}
	}
	err := sum(append([]failure{{"7", faultOf(ipc.Result{Outcome: ipc.Gone})}}, long...), "killed", 30000)
	f, _ := AsFault(err)
	if f.Code != CodeNoConnection || len(f.Text) > maxFaultText+1024 ||
		!strings.Contains(f.Text, "20001 of 30000") || !strings.Contains(f.Text, "more") || strings.Count(f.Text, "ssh") != 1 {
		t.Errorf("%d bytes: %.200s", len(f.Text), f.Text)
	}
}

func TestKillCountsWhatIsNamedTwiceOnce(t *testing.T) {
	s := service(&helpertest.Helper{}, auth.None{})
	id, err := s.Login(t.Context(), auth.Request{}, Caller{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Begin(id, Caller{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.End()
	for want, refs := range map[string][]Ref{
		"99: no such connection":   {RefID(99), RefID(99), RefID(99)},
		"2 of 2 connections":       {RefID(98), RefID(99), RefID(98)},
		"no such connection: 1, 2": {RefID(1), RefID(1), RefID(2)},
	} {
		err := c.Kill(t.Context(), refs, KillOptions{})
		if code(err) != CodeNoConnection || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestFaultOfEveryOutcome(t *testing.T) {
	want := map[ipc.Outcome]int{
		ipc.Gone: 4, ipc.Replaced: 7, ipc.Protected: 6, ipc.Forbidden: 6, ipc.Fixed: 11,
		ipc.Partial: 8, ipc.Failed: 8, ipc.Limited: 10, ipc.Unaudited: CodeInternal,
	}
	for o, code := range want {
		f := faultOf(ipc.Result{Outcome: o, Errno: 16, Rule: "rule-x", Retry: 1500 * time.Millisecond})
		if f.Code != code || f.Text == "" || f.Text == "internal error" {
			t.Errorf("%s: %+v", o, f)
		}
	}
	if f := faultOf(ipc.Result{Outcome: ipc.Limited, Retry: 1500 * time.Millisecond}); !strings.Contains(f.Text, "2 seconds") {
		t.Errorf("a wait is rounded down: %s", f.Text)
	}
}

func TestReadOnly(t *testing.T) {
	s := New(Config{
		Helper: &helpertest.Helper{}, Backend: auth.None{}, Log: slog.New(slog.DiscardHandler),
		RoleOf: func(string) string { return "admin" }, ReadOnly: true,
	})
	id, err := s.Login(t.Context(), auth.Request{}, Caller{})
	if err != nil {
		t.Fatal(err)
	}
	call, err := s.Begin(id, Caller{})
	if err != nil {
		t.Fatal(err)
	}
	defer call.End()
	for _, m := range []string{"kill", "change", "kill_report", "kill_matching"} {
		if err := call.Permit(m); code(err) != CodePermission {
			t.Errorf("%s: %v", m, err)
		}
	}
	if err := call.Permit("view"); err != nil {
		t.Error(err)
	}
	if who := call.Whoami([]string{"view", "kill"}); len(who.Methods) != 1 {
		t.Errorf("whoami %v", who)
	}
}
