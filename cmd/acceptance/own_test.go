// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"slices"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestOwnConnection: a client that asks for its own connection to be killed keeps it, also
// behind a rule that translates the service's address, until it says that it means it.
func TestOwnConnection(t *testing.T) {
	t.Parallel()
	const translated = 9580
	for name, address := range map[string]string{"as it is": rpcAddress, "translated": "127.0.0.1:9580"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nstest.Run(t, func(t *testing.T) {
				nstest.Redirect(t, unix.IPPROTO_TCP, translated, 8580)
				track(t)
				w := newWorld(t, everything)
				s := newClient(t, address).login(t)
				stranger := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")
				wantOwn(t, s, func() { nstest.Create(t, nstest.Connection{Target: stranger}) })
				wantForced(t, s, w.login(t))
			})
		})
	}
}

func (s *session) own(t testing.TB) row {
	t.Helper()
	return s.one(t, filters{"proto": "tcp", "port": 8580, "state": "ESTABLISHED"})
}

func wantOwn(t *testing.T, s *session, create func()) {
	t.Helper()
	own := s.own(t)
	for name, again := range map[string]func(options ...any) []string{
		"kill_report": func(options ...any) []string {
			names := list(own.key(t), s.one(t, filters{"orig_src": "192.0.2.1"})["id"])
			return outcomes(t, s.ok(t, "kill_report", append([]any{names, 0}, options...)...))
		},
		"kill_matching": func(options ...any) []string {
			s.ok(t, "refresh")
			view := s.ok(t, "view", filters{}).(map[string]any)
			f := filters{"expr": "port 8580 or src 192.0.2.1", "state": "!TIME_WAIT"}
			return outcomes(t, s.ok(t, "kill_matching", append([]any{f, view["snapshot"], 0}, options...)...))
		},
	} {
		create()
		got := again()
		slices.Sort(got)
		if !slices.Equal(got, []string{"forbidden", "killed"}) {
			t.Errorf("%s: %v", name, got)
		}
		create()
		got = again(map[string]any{"force": false})
		slices.Sort(got)
		if !slices.Equal(got, []string{"forbidden", "killed"}) {
			t.Errorf("%s without force: %v", name, got)
		}
	}
	create()
	s.want(t, 3, "force", "kill", list(own.key(t), s.one(t, filters{"orig_src": "192.0.2.1"})["id"]))
	if now := s.own(t); now["id"] != own["id"] {
		t.Errorf("the connection is another: %v, was %v", now["id"], own["id"])
	}
	if left := s.rows(t, filters{"orig_src": "192.0.2.1"}); len(left) != 0 {
		t.Errorf("the other was not killed: %v", left)
	}
	s.want(t, -32602, "boolean", "kill", list(own.key(t)), map[string]any{"force": 1})
	s.want(t, -32602, "hard", "kill_report", list(own.key(t)), 0, map[string]any{"hard": true})
}

// wantForced: with force it dies. What the client hears of that depends on the way: untranslated, the
// answer's packets make a new connection; translated, they come from an address that the
// client knows nothing of.
func wantForced(t *testing.T, s, watcher *session) {
	t.Helper()
	own := s.own(t)
	_, f, _ := s.try(document("kill", s.id, list(own.key(t)), map[string]any{"force": true}))
	if f.code != 0 {
		t.Errorf("fault %d %q", f.code, f.text)
	}
	for _, now := range watcher.rows(t, nil) {
		if now["key"] == own["key"] {
			t.Errorf("the connection lives on: %v", now)
		}
		// To whoever comes in by another way it is one like all others.
		watcher.ok(t, "kill", list(now.key(t)))
	}
}
