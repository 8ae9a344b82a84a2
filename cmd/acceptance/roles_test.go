// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/frontd/config"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// tenantRoles are two customers behind one firewall, and one who may only look.
const tenantRoles = `
[auth]
backend = "file"
file = "%s"
role = "viewer"

[auth.roles]
root = "admin"
red = "red-team"
blue = "blue-team"

[roles.red-team]
base = "operator"
networks = ["10.1.0.0/16", "2001:db8:1::/48"]

[roles.blue-team]
base = "operator"
networks = ["10.2.0.0/16", "2001:db8:2::/48"]
zones = [0]
`

// users makes a password file in which each user's password is his name.
func (w *world) users(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		w.SetPassword(t, name, name)
	}
	return w.Path("passwd")
}

func outcomes(t *testing.T, v any) (all []string) {
	t.Helper()
	for _, r := range v.([]any) {
		all = append(all, r.(map[string]any)["outcome"].(string))
	}
	return all
}

// TestTwoTenants lets two customers of one firewall loose at each other.
func TestTwoTenants(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		tcp := func(src, dst string) nstest.Connection {
			return nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, src, dst)}
		}
		// Blue's server is reached by an address of the firewall's: blue's only by the replies.
		forwarded := tcp("198.51.100.9:1000", "203.0.113.1:443")
		forwarded.Target.Reply.Src = netip.MustParseAddr("10.2.0.80")
		zoned := tcp("10.2.0.2:1000", "198.51.100.1:443")
		zoned.Target.Orig.Zone, zoned.Target.Reply.Zone = 9, 9
		red := []nstest.Connection{tcp("10.1.0.1:1000", "198.51.100.1:443"), tcp("[2001:db8:1::1]:1000", "[2001:db8:9::1]:443")}
		blue := []nstest.Connection{tcp("10.2.0.1:1000", "198.51.100.1:443"), tcp("[2001:db8:2::1]:1000", "[2001:db8:9::1]:443"), forwarded}
		others := []nstest.Connection{tcp("10.3.0.1:1000", "198.51.100.1:443"), zoned}
		nstest.Create(t, slices.Concat(red, blue, others)...)

		w := emptyWorld(t)
		w.Write(t, "policy.toml", everything)
		w.StartPrivd(t)
		passwords := w.users(t, "root", "red", "blue", "eve")
		w.startFrontd(t, fmt.Sprintf(tenantRoles, passwords))
		login := func(user string) *session { return w.client(t).login(t, user, user) }
		root := login("root")
		whole := root.ok(t, "view", filters{}).(map[string]any)
		if whole["count"] != 7 {
			t.Fatalf("count %v", whole["count"])
		}
		keys := func(s *session) (all []string) {
			for _, r := range s.rows(t, nil) {
				all = append(all, r.key(t))
			}
			return all
		}
		every := keys(root)
		if got := keys(login("eve")); len(got) != 7 {
			t.Errorf("a viewer sees %d", len(got))
		}
		before := kernelTable(t)
		for _, user := range []string{"red", "blue"} {
			s := login(user)
			mine := keys(s)
			if want := map[string]int{"red": 2, "blue": 3}[user]; len(mine) != want {
				t.Fatalf("%s sees %d connections, want %d", user, len(mine), want)
			}
			view := s.ok(t, "view", filters{}).(map[string]any)
			if view["count"] != len(mine) || view["total"] != len(mine) {
				t.Errorf("%s: count %v, total %v", user, view["count"], view["total"])
			}
			s.want(t, 3, "", "stats")
			for _, r := range root.rows(t, nil) {
				key := r.key(t)
				if slices.Contains(mine, key) {
					continue
				}
				for _, name := range []any{key, r["id"]} {
					s.want(t, 4, "", "kill", list(name))
					s.want(t, 4, "", "change", "mark", name, 7)
					s.want(t, 4, "", "change", "timeout", name, 100)
					if got := outcomes(t, s.ok(t, "kill_report", list(name), 1)); !slices.Equal(got, []string{"unknown"}) {
						t.Errorf("%s: outcomes %v", user, got)
					}
				}
				if all := s.rows(t, filters{"id": r["id"]}); len(all) != 0 {
					t.Errorf("%s finds %v", user, all)
				}
			}
			wantTable(t, before)
		}
		if strings.Contains(w.Privd.Out.String(), "NUCT_OUTCOME") {
			t.Errorf("the helper was asked: %s", w.Privd.Out.String())
		}

		// Both kill everything that there is for them, of one and the same table.
		taken := root.ok(t, "view", filters{}).(map[string]any)["snapshot"]
		reds, blues := login("red"), login("blue")
		if got := outcomes(t, reds.ok(t, "kill_matching", filters{}, taken)); !slices.Equal(got, []string{"killed", "killed"}) {
			t.Errorf("red killed %v", got)
		}
		if n := len(kernelTable(t)); n != 5 {
			t.Errorf("%d are left after red, want 5", n)
		}
		if got := outcomes(t, blues.ok(t, "kill_report", anyOf(every))); len(got) != 7 ||
			strings.Count(fmt.Sprint(got), "killed") != 3 || strings.Count(fmt.Sprint(got), "unknown") != 4 {
			t.Errorf("blue killed %v", got)
		}
		for _, user := range []string{"red", "blue"} {
			if got := keys(login(user)); len(got) != 0 {
				t.Errorf("%s has still %d", user, len(got))
			}
		}
		if left := root.rows(t, nil); len(left) != len(others) || len(kernelTable(t)) != len(others) {
			t.Errorf("left: %v", left)
		}
	})
}

func anyOf(names []string) []any {
	all := make([]any, len(names))
	for i, n := range names {
		all[i] = n
	}
	return all
}

// TestKilledAndBack watches what it killed: a TCP connection whose packets go on is back with
// the next of them, unless the kernel is strict.
func TestKilledAndBack(t *testing.T) {
	t.Parallel()
	for loose, want := range map[string]string{"1": "returned", "0": "killed"} {
		t.Run("nf_conntrack_tcp_loose="+loose, func(t *testing.T) {
			nstest.Run(t, func(t *testing.T) {
				nstest.Sysctl(t, "nf_conntrack_tcp_loose", loose)
				track(t)
				s := newWorld(t, everything).login(t)
				serveTCP(t, "127.0.0.1:5001")
				talk(t, "127.0.0.1:5001")
				askTCP(t, "127.0.0.1:5001") // and one that is silent

				// The next packet may be the server's, which then is the source.
				there := filters{"proto": "tcp", "port": 5001}
				all := s.rows(t, there)
				if len(all) != 2 {
					t.Fatalf("%d connections", len(all))
				}
				snapshot := s.ok(t, "view", there).(map[string]any)["snapshot"]
				reports := s.ok(t, "kill_matching", there, snapshot, map[string]int{"1": 5, "0": 2}[loose]).([]any)
				got := outcomes(t, reports)
				slices.Sort(got)
				if wanted := []string{"killed", want}; !slices.Equal(got, wanted) {
					t.Fatalf("outcomes %v, want %v", got, wanted)
				}
				left := s.rows(t, there)
				if len(left) != map[string]int{"1": 1, "0": 0}[loose] {
					t.Errorf("left: %v", left)
				}
				for _, v := range reports {
					if r := v.(map[string]any); r["outcome"] == "returned" && !strings.Contains(r["detail"].(string), left[0].key(t)) {
						t.Errorf("report %v, it is %v", r, left[0])
					}
				}
			})
		})
	}
}

// lively makes the kernel send signs of life each second, whether or not the process gets on.
var lively = net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: 100}}

// talk keeps a connection busy to the test's end.
func talk(t *testing.T, address string) {
	t.Helper()
	c, err := lively.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(4 * daemontest.Patience))
	say := func() error {
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 1))
		return err
	}
	if err := say(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for say() == nil {
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
}

// TestRolesDocumentLoads keeps the examples of docs/roles.md true.
func TestRolesDocumentLoads(t *testing.T) {
	b, err := os.ReadFile("../../docs/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```toml\n(.*?)```").FindSubmatch(b)
	if found == nil {
		t.Fatal("there is no example")
	}
	c, err := config.Parse(found[1], "roles.md", config.Override{})
	if err != nil {
		t.Fatal(err)
	}
	for user, role := range map[string]string{"ann": "admin", "bob": "customer-7", "eve": "night-shift", "zoe": "viewer"} {
		if got := c.Auth.RoleOf(user).Name; got != role {
			t.Errorf("%s is %s, want %s", user, got, role)
		}
	}
	if r := c.Auth.RoleOf("bob"); r.May("stats") || !r.May("kill_matching") || r.MarkMask() != 0xffffff0f {
		t.Errorf("bob: %+v", r)
	}
	if guests, _ := c.Roles.Named("guests"); guests.May("kill") || !guests.May("kill_report") {
		t.Errorf("guests: %+v", guests)
	}
}
