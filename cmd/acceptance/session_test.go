// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"testing"
)

// session is a client that is logged in.
type session struct {
	*client
	id string
}

func (c *client) login(t testing.TB, args ...any) *session {
	t.Helper()
	return &session{c, c.ok(t, "login", args...).(string)}
}

// with puts the session's id before other parameters.
func (s *session) with(params []any) []any { return append([]any{s.id}, params...) }

func (s *session) ok(t testing.TB, method string, params ...any) any {
	t.Helper()
	return s.client.ok(t, method, s.with(params)...)
}

func (s *session) want(t testing.TB, code int, says, method string, params ...any) {
	t.Helper()
	s.client.want(t, code, says, method, s.with(params)...)
}

// filters and list are short for parameters.
type filters = map[string]any

func list(all ...any) []any { return all }

// row is a connection as a client sees it.
type row map[string]any

func (r row) key(t testing.TB) string {
	t.Helper()
	key, ok := r["key"].(string)
	if !ok || key == "" {
		t.Fatalf("no key in %v", r)
	}
	return key
}

// rows views a table that is read now.
func (s *session) rows(t testing.TB, f filters) []row {
	t.Helper()
	s.ok(t, "refresh")
	view := s.ok(t, "view", f).(map[string]any)
	var all []row
	for _, r := range view["table"].([]any) {
		all = append(all, r.(map[string]any))
	}
	if view["total"] != len(all) || view["length"] != len(all) {
		t.Errorf("total %v, length %v, %d rows", view["total"], view["length"], len(all))
	}
	return all
}

// one views the only connection that matches.
func (s *session) one(t testing.TB, f filters) row {
	t.Helper()
	all := s.rows(t, f)
	if len(all) != 1 {
		t.Fatalf("%d connections match %v, want 1: %v", len(all), f, all)
	}
	return all[0]
}

// has wants fields with values, and that others are absent: those with the value nil.
func (r row) has(t testing.TB, want row) {
	t.Helper()
	for name, v := range want {
		got, there := r[name]
		if v == nil && there {
			t.Errorf("%s is %v, want it to be absent", name, got)
		} else if v != nil && got != v {
			t.Errorf("%s is %#v, want %#v", name, got, v)
		}
	}
	if t.Failed() {
		t.Logf("row %v", r)
	}
}
