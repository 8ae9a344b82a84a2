// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// scoped is a call of a user with the role r of these lines, and what his helper has.
func scoped(t *testing.T, h *helpertest.Helper, lines string) *Call {
	t.Helper()
	root := strict.Read([]byte("[roles.r]\nbase = 'admin'\n"+lines), "f.toml")
	s := New(Config{
		Helper: h, Backend: auth.None{}, Log: slog.New(slog.DiscardHandler),
		Roles: policy.ReadRoles(root), RoleOf: func(string) string { return "r" },
	})
	if root.Err() != nil {
		t.Fatal(root.Err())
	}
	id, err := s.Login(t.Context(), auth.Request{}, Caller{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Begin(id, Caller{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.End)
	return c
}

func port(id uint32) helpertest.Connection {
	return helpertest.Port(6, id, fmt.Sprintf("192.0.2.1:%d", 1000+id), "198.51.100.7:443")
}

func keyRef(t *testing.T, target ipc.Target) Ref {
	t.Helper()
	r, err := RefText(ident.EncodeKey(target))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKillReport(t *testing.T) {
	h := &helpertest.Helper{}
	outcome := func(id uint32, o ipc.Outcome, rule string) helpertest.Connection {
		c := port(id)
		c.OutcomeOfKill, c.RuleOfRefusal, c.KernelsRefusal = o, rule, 16
		return c
	}
	plain, gone, old := port(1), port(2), port(3)
	twin, other := port(4), port(5)
	other.Target.ID = 4
	h.Add(plain, gone, old, twin, other, outcome(10, ipc.Protected, "management"), outcome(11, ipc.Forbidden, "zones"),
		outcome(12, ipc.Failed, ""), outcome(13, ipc.Limited, ""), outcome(14, ipc.Unaudited, ""))
	c := scoped(t, h, "")
	if _, err := c.View(t.Context(), ViewRequest{Length: 1}); err != nil {
		t.Fatal(err)
	}
	later := old
	later.Target.ID = 33
	h.Remove(gone.Target)
	h.Remove(old.Target)
	h.Add(later)
	want := []struct {
		ref     Ref
		id      uint32
		key     ipc.Target
		outcome string
		detail  string
	}{
		{RefID(99), 99, ipc.Target{}, OutcomeUnknown, "no such connection"},
		{RefID(1), 1, plain.Target, OutcomeKilled, ""},
		{keyRef(t, plain.Target), 1, plain.Target, OutcomeKilled, ""},
		{RefID(2), 2, gone.Target, OutcomeGone, "already"},
		{keyRef(t, port(77).Target), 77, port(77).Target, OutcomeGone, "no such connection"},
		{RefID(3), 3, old.Target, OutcomeReplaced, "replaced"},
		{RefID(4), 4, ipc.Target{}, OutcomeAmbiguous, "2 connections"},
		{keyRef(t, twin.Target), 4, twin.Target, OutcomeKilled, ""},
		{RefID(10), 10, port(10).Target, OutcomeProtected, "management"},
		{RefID(11), 11, port(11).Target, OutcomeForbidden, "zones"},
		{RefID(12), 12, port(12).Target, OutcomeFailed, "EBUSY"},
		{RefID(13), 13, port(13).Target, OutcomeFailed, "seconds"},
		{RefID(14), 14, port(14).Target, OutcomeFailed, "audit"},
		{RefID(1), 1, plain.Target, OutcomeKilled, ""},
		{RefID(99), 99, ipc.Target{}, OutcomeUnknown, "no such connection"},
	}
	refs := make([]Ref, len(want))
	for i, w := range want {
		refs[i] = w.ref
	}
	reports, err := c.KillReport(t.Context(), refs, KillOptions{})
	if err != nil || len(reports) != len(want) {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	for i, w := range want {
		key := ""
		if w.key.Family != 0 {
			key = ident.EncodeKey(w.key)
		}
		r := reports[i]
		if r.ID != w.id || r.Key != key || r.Outcome != w.outcome || !strings.Contains(r.Detail, w.detail) || w.detail == "" && r.Detail != "" {
			t.Errorf("%d: %+v, want %+v", i, r, w)
		}
	}
	kills := 0
	for _, a := range h.Asked() {
		if a.Target == plain.Target {
			kills++
		}
	}
	if kills != 1 {
		t.Errorf("one that is named three times was killed %d times", kills)
	}
}

// TestIDsOfNewConnections names connections by ids that no table of the session has, as who has
// them from conntrack(8) does.
func TestIDsOfNewConnections(t *testing.T) {
	for name, lines := range map[string]string{"whole table": "", "scope": "networks = ['192.0.2.0/24']", "marks": "marks = ['0/1']"} {
		t.Run(name, func(t *testing.T) {
			h := &helpertest.Helper{}
			viewed, other := port(1), helpertest.Port(6, 5, "203.0.113.1:1", "198.51.100.7:443")
			h.Add(viewed)
			c := scoped(t, h, lines)
			h.Add(port(2)) // before the session has a table
			want := func(id uint32, outcome string) {
				t.Helper()
				got, err := c.KillReport(t.Context(), []Ref{RefID(id), RefID(99)}, KillOptions{})
				if err != nil || got[0].Outcome != outcome || got[1].Outcome != OutcomeUnknown {
					t.Errorf("id %d: %+v, %v, want %s", id, got, err, outcome)
				}
			}
			want(2, OutcomeKilled)
			if _, err := c.View(t.Context(), ViewRequest{}); err != nil {
				t.Fatal(err)
			}
			h.Add(port(3), other) // after it
			want(3, OutcomeKilled)
			if lines != "" && strings.HasPrefix(lines, "networks") {
				want(5, OutcomeUnknown)
			}
			before := h.Dumps()
			if got, err := c.KillReport(t.Context(), []Ref{RefID(1)}, KillOptions{}); err != nil || got[0].Outcome != OutcomeKilled {
				t.Errorf("the one that was viewed: %+v, %v", got, err)
			}
			if n := h.Dumps() - before; n != 0 && !strings.HasPrefix(lines, "marks") {
				t.Errorf("the table was read %d times for an id that the session has seen", n)
			}
		})
	}
}

func TestKillReportWithoutHelper(t *testing.T) {
	h := &helpertest.Helper{}
	h.Add(port(1))
	c := scoped(t, h, "")
	if reports, err := c.KillReport(t.Context(), nil, KillOptions{Watch: MaxWatch}); err != nil || len(reports) != 0 {
		t.Errorf("of none: %v, %v", reports, err)
	}
	h.SetAway(true)
	if _, err := c.KillReport(t.Context(), []Ref{RefID(1)}, KillOptions{}); code(err) != CodeHelper {
		t.Errorf("no table: %v", err)
	}
	h.SetAway(false)
	if _, err := c.View(t.Context(), ViewRequest{}); err != nil {
		t.Fatal(err)
	}
	h.SetAway(true)
	if _, err := c.KillReport(t.Context(), []Ref{RefID(7), RefID(1)}, KillOptions{Watch: time.Second}); code(err) != CodeHelper {
		t.Errorf("no kill: %v", err)
	}
	if _, err := c.KillReport(t.Context(), []Ref{RefID(7)}, KillOptions{Watch: time.Second}); code(err) != CodeHelper {
		t.Errorf("an id that the session has not seen: %v", err)
	}
}

// TestHelperThatDies: what was sent and not answered may have been done, and nobody says otherwise.
func TestHelperThatDies(t *testing.T) {
	const unsure = "the helper went away before it answered: it may have been done all the same"
	for name, act := range map[string]func(c *Call) error{
		"kill_report": func(c *Call) error {
			reports, err := c.KillReport(t.Context(), []Ref{RefID(1), RefID(2)}, KillOptions{})
			if err != nil {
				return err
			}
			unsaid := 0
			for _, r := range reports {
				if r.Outcome != OutcomeFailed {
					t.Errorf("%+v", r)
				}
				if r.Detail != unsure {
					unsaid++
				}
			}
			if unsaid != 1 { // the helper was away by then
				t.Errorf("%+v", reports)
			}
			return reports[slices.IndexFunc(reports, func(r Report) bool { return r.Detail == unsure })].Fault
		},
		"kill": func(c *Call) error { return c.Kill(t.Context(), []Ref{RefID(1)}, KillOptions{}) },
		"change": func(c *Call) error {
			return c.Change(t.Context(), RefID(1), ipc.Change{Field: ipc.FieldMark, Value: 1, Mask: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &helpertest.Helper{}
			h.Add(port(1), port(2))
			c := scoped(t, h, "")
			if _, err := c.View(t.Context(), ViewRequest{}); err != nil {
				t.Fatal(err)
			}
			h.SetDying()
			if err := act(c); code(err) != CodeHelper || !strings.Contains(err.Error(), unsure) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestKillMatching(t *testing.T) {
	h := &helpertest.Helper{}
	for id := range uint32(40) {
		h.Add(port(id + 1))
	}
	c := scoped(t, h, "")
	v, err := c.View(t.Context(), ViewRequest{})
	if err != nil {
		t.Fatal(err)
	}
	name := v.Table.Name()
	// What came later matches, and is not in that snapshot.
	later := port(50)
	h.Add(later)
	h.Remove(port(3).Target)
	if _, err := c.KillMatching(t.Context(), map[string]table.Operand{"colour": "red"}, name, KillOptions{}); code(err) != CodeParams {
		t.Errorf("wrong filter: %v", err)
	}
	if _, err := c.KillMatching(t.Context(), nil, "gone-7", KillOptions{}); code(err) != CodeSnapshot {
		t.Errorf("no snapshot: %v", err)
	}
	if len(h.Asked()) != 0 {
		t.Errorf("asked %+v", h.Asked())
	}
	reports, err := c.KillMatching(t.Context(), map[string]table.Operand{"orig_port_src": "<1011"}, name, KillOptions{})
	if err != nil || len(reports) != 10 {
		t.Fatalf("%v, %v", reports, err)
	}
	for i, r := range reports {
		want := OutcomeKilled
		if r.ID == 3 {
			want = OutcomeGone
		}
		if r.ID != uint32(i+1) || r.Outcome != want || r.Key != ident.EncodeKey(port(r.ID).Target) {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if n := len(h.Table()); n != 31 {
		t.Errorf("%d are left", n)
	}
	reports, err = c.KillMatching(t.Context(), nil, name, KillOptions{})
	if err != nil || len(reports) != 40 || len(h.Table()) != 1 || h.Table()[0] != later {
		t.Errorf("everything: %d reports, %v, left %+v", len(reports), err, h.Table())
	}
}

func TestKillMatchingTooMany(t *testing.T) {
	h := &helpertest.Helper{}
	for i := range MaxMatching + 1 {
		h.Add(helpertest.Port(6, uint32(i), fmt.Sprintf("10.0.%d.%d:1", i>>8, i&255), "198.51.100.7:443"))
	}
	c := scoped(t, h, "")
	v, err := c.View(t.Context(), ViewRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.KillMatching(t.Context(), nil, v.Table.Name(), KillOptions{}); code(err) != CodeParams || !strings.Contains(err.Error(), "20001") {
		t.Errorf("%v", err)
	}
	if len(h.Asked()) != 0 {
		t.Error("some were killed")
	}
}
