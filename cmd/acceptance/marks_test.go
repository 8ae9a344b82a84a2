// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"
)

// TestMarksMeanSomething gives marks of the kernel's connections a meaning: users and traffic
// classes.
func TestMarksMeanSomething(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Sysctl(t, "nf_conntrack_acct", "1")
		track(t)
		w := emptyWorld(t)
		w.Write(t, "policy.toml", everything)
		w.Write(t, "users", "1000,zoe\n1001,ann\n")
		w.StartPrivd(t)
		w.startFrontd(t, `uid_mask = "0xffff"`, `users_file = "`+w.Path("users")+`"`, "[auth]", `backend = "none"`,
			"[[class]]", `name = "voice"`, `mark = "0x10000/0xf0000"`, "[[class]]", `name = "bulk"`, `mark = "0x20000/0xf0000"`)
		s := w.login(t)
		serveTCP(t, "127.0.0.1:5001")
		serveTCP(t, "127.0.0.1:5002")
		askTCP(t, "127.0.0.1:5001")
		askTCP(t, "127.0.0.1:5002")
		first, second := s.one(t, filters{"orig_port_dst": 5001}), s.one(t, filters{"orig_port_dst": 5002})
		first.has(t, row{"user_id": "0", "username": nil, "authenticated": false, "class": nil})

		s.ok(t, "change", "mark", first.key(t), "0x203e8") // 1000, bulk
		s.ok(t, "change", "class", second.key(t), "voice")
		s.ok(t, "change", "mark", second.key(t), "77/0xffff")
		s.ok(t, "refresh")
		s.one(t, filters{"username": "zoe"}).has(t, row{"mark": "132072", "user_id": "1000", "authenticated": true, "class": "bulk", "orig_port_dst": 5001})
		s.one(t, filters{"class": "voice"}).has(t, row{"mark": "65613", "user_id": "77", "username": nil, "authenticated": true, "orig_port_dst": 5002})
		s.ok(t, "change", "class", first.key(t), "voice")
		s.ok(t, "refresh")
		s.one(t, filters{"expr": "user zoe and class voice"}).has(t, row{"mark": "66536"})
		s.want(t, badParams, "gold", "change", "class", first.key(t), "gold")

		list := s.ok(t, "stats").(map[string]any)["classes"].([]any)
		voice, bulk := list[0].(map[string]any), list[1].(map[string]any)
		if voice["name"] != "voice" || voice["connections"] != 2 || numbers(t, voice)["orig_counter_bytes"] == 0 ||
			bulk["name"] != "bulk" || bulk["connections"] != 0 || bulk["orig_counter_bytes"] != nil {
			t.Errorf("stats by class: %v", list)
		}

		// The file is read again by a daemon that may read little else by now.
		w.Write(t, "users", "77,bob\n1000,zoe the second\n")
		s.ok(t, "refresh")
		s.one(t, filters{"username": "bob"}).has(t, row{"user_id": "77"})
		w.Write(t, "users", "77 bob\n")
		s.ok(t, "refresh")
		s.one(t, filters{"username": "zoe the second"}).has(t, row{"user_id": "1000"})
	})
}

// TestHiddenConnections hides loopback, and shows it again without a restart.
func TestHiddenConnections(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		track(t)
		w := newWorld(t, everything, `hide = ["127.0.0.0/8", "udp and dport 5003"]`, "[auth]", `backend = "none"`)
		s := w.login(t)
		serveTCP(t, "127.0.0.1:5001")
		serveTCP(t, "[::1]:5001")
		serveUDP(t, "[::1]:5003")
		askTCP(t, "127.0.0.1:5001")
		askTCP(t, "[::1]:5001")
		ask(t, "udp", "[::1]:5003", []byte("question"))
		hides := func(v map[string]any) bool {
			for _, text := range v["warnings"].([]any) {
				if strings.HasPrefix(text.(string), "hidden: 2 connections") {
					return true
				}
			}
			return false
		}
		view := func() map[string]any { return s.ok(t, "view", filters{"port": list(5001, 5003)}).(map[string]any) }
		v := view()
		if v["total"] != 1 || v["count"] != 1 || !hides(v) {
			t.Errorf("view %v", v)
		}
		g := s.ok(t, "groups", "proto").(map[string]any)
		if g["connections"] != 1 || !hides(g) {
			t.Errorf("groups %v", g)
		}
		before := kernelTable(t)
		s.ok(t, "kill_matching", filters{}, v["snapshot"])
		if now := kernelTable(t); len(now) != len(before)-1 {
			t.Errorf("%d connections are left of %d", len(now), len(before))
		}

		w.WriteConfig(t, w.config())
		w.Frontd.Signal(t, syscall.SIGHUP)
		deadline := time.Now().Add(daemontest.Patience)
		for v = view(); v["count"] != 2 && time.Now().Before(deadline); v = view() {
		}
		if v["count"] != 2 || hides(v) {
			t.Errorf("hidden no longer: %v", v)
		}
	})
}
