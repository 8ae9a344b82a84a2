// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// metricsAddress is where frontd serves metrics, in a namespace of its own.
const metricsAddress = "127.0.0.1:9580"

// scrape gives the values of our series by their names with labels.
func scrape(t *testing.T) map[string]float64 {
	t.Helper()
	body, status := monitor(t, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: status %d", status)
	}
	values := map[string]float64{}
	for line := range strings.Lines(body) {
		at := strings.LastIndexByte(line, ' ')
		if !strings.HasPrefix(line, "nuconntrack_") {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		values[line[:at]] = v
	}
	return values
}

func monitor(t *testing.T, path string) (body string, status int) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	r, err := (&http.Client{Transport: transport, Timeout: daemontest.Patience}).Get("http://" + metricsAddress + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), r.StatusCode
}

// TestMetricsCountWhatHappened: real kills and logins show in a scrape of the real daemon, no
// name of anybody does, and nobody makes it grow.
func TestMetricsCountWhatHappened(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		for i := range 3 {
			nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_UDP, fmt.Sprintf("192.0.2.%d:1000", i+1), "198.51.100.1:80")})
		}
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.9:1000", "198.51.100.1:22")})
		w := emptyWorld(t)
		w.Write(t, "policy.toml", everything+"\n[[protect]]\nname = \"ssh\"\nports = [22]\n")
		w.StartPrivd(t)
		w.startFrontd(t, "[metrics]", `listen = ["`+metricsAddress+`"]`, "[auth]", `backend = "file"`, `file = "`+w.users(t, "ann")+`"`)
		before := scrape(t)
		if _, there := before["nuconntrack_table_age_seconds"]; there {
			t.Error("a scrape read the table")
		}
		c := w.client(t)
		c.want(t, 1, "", "login", "ann", "wrong-password")
		s := &session{c, c.ok(t, "login", "ann", "ann").(string)}
		for _, f := range []filters{{"orig_src": "192.0.2.1"}, {"orig_src": "192.0.2.2"}} {
			s.ok(t, "kill", list(s.one(t, f).key(t)))
		}
		ssh := s.one(t, filters{"port": 22})
		s.want(t, 6, "ssh", "kill", list(ssh.key(t)))
		s.ok(t, "change", "mark", s.one(t, filters{"orig_src": "192.0.2.3"}).key(t), 9)
		s.ok(t, "kill_report", list(ssh["id"], "4294967295"))

		// The helper may once have taken too long to answer a scrape, which is held against it for a while.
		var after map[string]float64
		daemontest.WaitFor(t, "the helper answers a scrape", func() bool {
			after = scrape(t)
			return after["nuconntrack_helper_up"] == 1
		})
		for name, want := range map[string]float64{
			`nuconntrack_logins_total{result="ok"}`:                                     1,
			`nuconntrack_logins_total{result="denied"}`:                                 1,
			`nuconntrack_actions_total{action="kill",outcome="killed"}`:                 2,
			`nuconntrack_actions_total{action="kill",outcome="protected"}`:              2,
			`nuconntrack_actions_total{action="kill",outcome="unknown"}`:                1,
			`nuconntrack_actions_total{action="change_mark",outcome="changed"}`:         1,
			`nuconntrack_request_duration_seconds_count{method="login"}`:                2,
			`nuconntrack_request_duration_seconds_count{method="kill"}`:                 3,
			`nuconntrack_faults_total{code="1"}`:                                        1,
			`nuconntrack_faults_total{code="6"}`:                                        1,
			`nuconntrack_connections{family="ipv4",protocol="tcp",state="ESTABLISHED"}`: 1,
			`nuconntrack_helper_up`:                                                     1,
			`nuconntrack_sessions`:                                                      1,
		} {
			if got, there := after[name]; got-before[name] != want && got != want || !there {
				t.Errorf("%s is %v after %v, want %v", name, got, before[name], want)
			}
		}
		if after["nuconntrack_kernel_connections_limit"] == 0 || after["nuconntrack_kernel_connections"] == 0 ||
			after["nuconntrack_table_read_bytes"] == 0 || after[`nuconntrack_table_reads_total{result="ok"}`] == 0 {
			t.Errorf("nothing about the kernel's table: %v", after)
		}
		floodMetrics(t, c, after)
		wantReady(t, w)
	})
}

// floodMetrics sends what nobody knows, and wants no new series and nobody's name.
func floodMetrics(t *testing.T, c *client, before map[string]float64) {
	t.Helper()
	const flood = 200
	for i := range flood {
		c.want(t, -32601, "", fmt.Sprintf("made_up_%d", i))
	}
	for i := range 30 {
		if _, f := c.call(t, "login", fmt.Sprintf("nobody%d", i), "guess"); f.code != 1 && f.code != 10 {
			t.Errorf("login: fault %d", f.code)
		}
	}
	after := scrape(t)
	for name := range maps.Keys(after) {
		if _, there := before[name]; !there {
			t.Errorf("a series more: %s", name)
		}
		for _, who := range []string{"made_up", "nobody", "ann", "192.0.2"} {
			if strings.Contains(name, who) {
				t.Errorf("%s names %s", name, who)
			}
		}
	}
	const others = `nuconntrack_request_duration_seconds_count{method="other"}`
	if n := after[others] - before[others]; n != flood {
		t.Errorf("%v calls of other methods, want %d", n, flood)
	}
}

// wantReady wants to be told whether the helper answers.
func wantReady(t *testing.T, w *world) {
	t.Helper()
	daemontest.WaitFor(t, "/readyz says that the helper answers", func() bool {
		_, status := monitor(t, "/readyz")
		return status == http.StatusOK
	})
	w.Privd.Kill()
	daemontest.WaitFor(t, "/readyz says that the helper is away", func() bool {
		_, status := monitor(t, "/readyz")
		return status == http.StatusServiceUnavailable
	})
	if _, status := monitor(t, "/healthz"); status != http.StatusOK {
		t.Errorf("health: %d", status)
	}
	if up := scrape(t)["nuconntrack_helper_up"]; up != 0 {
		t.Errorf("nuconntrack_helper_up is %v without a helper", up)
	}
}

// TestOneRequestOneID: what a call made both daemons write has one id, and no line of theirs has a
// password or a session's id.
func TestOneRequestOneID(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			nstest.Run(t, func(t *testing.T) {
				nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_UDP, "192.0.2.1:1000", "198.51.100.1:80")})
				w := emptyWorld(t)
				w.Write(t, "policy.toml", everything)
				w.StartPrivd(t)
				passwords := []string{"secret-of-ann", "wrong secret", "se\x1b[2Jcret"}
				w.startFrontd(t, `log_level = "debug"`, `log_format = "`+format+`"`, "[auth]", `backend = "file"`,
					`file = "`+w.SetPassword(t, "ann", passwords[0])+`"`)
				c := w.client(t)
				c.want(t, 1, "", "login", "ann", passwords[1])
				c.want(t, 1, "", "login", "an\u202en\nlevel=ERROR", passwords[0])
				s := &session{c, c.ok(t, "login", "ann", passwords[0]).(string)}
				s.ok(t, "kill", list(s.one(t, filters{"port": 80}).key(t)))
				s.want(t, 4, "", "change", "mark", "1", 1)
				c.want(t, 2, "", "whoami", "bcdfghjk-no-session")
				w.Privd.Kill()
				s.want(t, 9, "", "stats")
				s.ok(t, "logout")
				w.Frontd.End()

				log := w.Frontd.Out.String() + w.Privd.Out.String()
				_, id, _ := strings.Cut(w.Privd.Out.String(), `"NUCT_REQUEST_ID":"`)
				id = id[:min(len(id), 16)]
				found := 0
				for line := range strings.Lines(w.Frontd.Out.String()) {
					if strings.Contains(line, id) && strings.Contains(line, "kill") && strings.Contains(line, "ann") {
						found++
					}
				}
				if len(id) != 16 || found != 1 || w.Privd.Says(id) < 2 {
					t.Errorf("the kill's request %q: %d lines of frontd\n%s", id, found, log)
				}
				for _, secret := range append(passwords, s.id, "bcdfghjk-no-session", "\x1b", "\u202e") {
					if strings.Contains(log, secret) {
						t.Errorf("a log has %q", secret)
					}
				}
				for line := range strings.Lines(w.Frontd.Out.String()) {
					if format == "json" && line[0] != '{' || strings.HasPrefix(line, "level=") {
						t.Errorf("a line of another form: %s", line)
					}
				}
			})
		})
	}
}

// TestReloadOfTheRealDaemon: SIGHUP makes files hold that stand in the drop-in folder, within the
// sandbox, and cuts neither session nor connection.
func TestReloadOfTheRealDaemon(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		w := newWorld(t, everything, "[auth]", `backend = "none"`, `role = "operator"`)
		s := w.login(t)
		if err := os.Mkdir(w.Path("frontd.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		reload := func(text, says string) {
			t.Helper()
			w.Write(t, "frontd.d/10.toml", text)
			before := w.Frontd.Says(says)
			w.Frontd.Signal(t, syscall.SIGHUP)
			daemontest.WaitFor(t, "frontd says "+says, func() bool { return w.Frontd.Says(says) > before })
		}
		s.ok(t, "kill", list())
		reload("[auth]\nrole = \"viewer\"\n", "auth.role")
		s.want(t, 3, "viewer", "kill", list())
		reload("max_page = 0\nlisen = 1\n[auth]\nrole = \"operator\"\n", "key lisen")
		s.want(t, 3, "viewer", "kill", list())
		daemontest.WaitFor(t, "frontd tells the other mistake too", func() bool { return w.Frontd.Says("line 1: key max_page") == 1 })
		reload("privd = \"/other\"\nmax_page = 7\n", "key=privd")
		s.ok(t, "kill", list())
		s.ok(t, "stats") // by the helper's socket as it was
	})
}
