// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system

package systemd_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func testReload(t *testing.T, m *machine) {
	const path = "/etc/nuconntrack/policy.toml"
	shipped := read(t, m.path(path))
	t.Cleanup(func() {
		m.write(t, path, shipped)
		m.do(t, "systemctl", "reload", privd)
	})
	target := made{source + "2:1001", "198.51.100.2:80"}
	m.create(t, target)
	c := m.login(t)
	key := c.view(t, map[string]any{"orig_src": source + "2"})[0].Key
	before := m.mainPID(t, privd+".service")
	forbidden := func() bool {
		err := c.call("kill", nil, []any{key})
		if err != nil && faultCode(err) != faultPolicy {
			t.Fatalf("kill: %v", err)
		}
		if err == nil {
			m.create(t, target)
			key = c.view(t, map[string]any{"orig_src": source + "2"})[0].Key
		}
		return err != nil
	}
	m.write(t, path, "[kill]\nallow = false\n")
	m.do(t, "systemctl", "reload", privd)
	wait(t, "the new policy", forbidden)

	m.write(t, path, "[kill]\nallow = true\nrate = \"plenty\"\n")
	m.refusesReload(t, privd, path, "line 3", "kill.rate")
	if !forbidden() {
		t.Error("a policy with a mistake took the place of the one that held")
	}
	// Nor does who sends the signal by hand.
	m.do(t, "systemctl", "kill", "--signal=HUP", "--kill-who=main", privd)
	m.said(t, privd, "policy not reloaded")
	if !forbidden() {
		t.Error("a policy with a mistake took the place of the one that held, by a signal")
	}
	m.do(t, "chmod", "0666", path)
	m.refusesReload(t, privd, path, "others than its owner may write it")
	m.write(t, path, shipped)
	m.do(t, "chmod", "0600", path)
	m.refusesReload(t, privd, path, "permission denied")
	m.write(t, path, shipped)
	m.do(t, "systemctl", "reload", privd)
	wait(t, "the shipped policy", func() bool { return !forbidden() })
	if after := m.mainPID(t, privd+".service"); after != before {
		t.Errorf("process %d became %d", before, after)
	}
}

// refusesReload wants the reload of a service to fail, and its status to say why.
func (m *machine) refusesReload(t *testing.T, unit string, why ...string) {
	t.Helper()
	if out, err := m.try("systemctl", "reload", unit); err == nil {
		t.Errorf("the reload of %s succeeds: %s", unit, out)
	}
	for _, what := range why {
		wait(t, unit+" says "+what, func() bool {
			m.do(t, "journalctl", "--sync")
			return strings.Contains(m.do(t, "systemctl", "status", "--no-pager", "--full", unit+".service"), what)
		})
	}
	if !m.active(t, unit+".service") {
		t.Errorf("%s does not run any more", unit)
	}
}

// A drop-in takes a role away from who has a session; one with a mistake takes nothing; and what
// needs a restart is named.
func testFrontdReload(t *testing.T, m *machine) {
	const dropIn = "/etc/nuconntrack/frontd.d/50-test.toml"
	c := m.login(t)
	before := m.mainPID(t, frontd+".service")
	said := func(what string) {
		t.Helper()
		m.do(t, "systemctl", "reload", frontd)
		m.said(t, frontd, what)
	}
	m.write(t, dropIn, "privd = \"/run/other.sock\"\n[auth.roles]\n"+user+" = \"viewer\"\n")
	said("a key has changed that needs a restart")
	said("auth.roles." + user)
	if err := c.call("kill", nil, []any{"1"}); faultCode(err) != faultPermission {
		t.Errorf("kill by who is a viewer now: %v, want fault %d", err, faultPermission)
	}
	m.write(t, dropIn, "lisen = 1\nmax_page = \"many\"\n")
	m.refusesReload(t, frontd, dropIn, "line 1", "lisen", "line 2", "max_page")
	if strings.Contains(m.do(t, "journalctl", "--no-pager", "--unit="+frontd), "not reloaded") {
		t.Error("the daemon was told to reload a configuration with a mistake")
	}
	m.do(t, "systemctl", "kill", "--signal=HUP", "--kill-who=main", frontd)
	m.said(t, frontd, "configuration not reloaded")
	if err := c.call("kill", nil, []any{"1"}); faultCode(err) != faultPermission {
		t.Errorf("kill after a mistake in the configuration: %v, want fault %d", err, faultPermission)
	}
	if err := os.Remove(m.path(dropIn)); err != nil {
		t.Fatal(err)
	}
	m.do(t, "systemctl", "reload", frontd)
	if strings.Contains(m.do(t, "journalctl", "--no-pager", "--unit="+frontd), "max_snapshots = ") {
		t.Error("the check of a reload prints the configuration into the journal")
	}
	wait(t, "the role", func() bool { return faultCode(c.call("kill", nil, []any{})) == 0 })
	if after := m.mainPID(t, frontd+".service"); after != before {
		t.Errorf("process %d became %d", before, after)
	}
}

func testStopAndRestart(t *testing.T, m *machine) {
	for _, unit := range []string{privd, frontd} {
		for _, verb := range []string{"restart", "stop"} {
			c := m.reach(t)
			before := m.mainPID(t, unit+".service")
			m.do(t, "systemctl", verb, unit+".service")
			if unit == frontd {
				c.http.CloseIdleConnections() // they went with it
			}
			// The session is frontd's: it outlives the helper.
			if err := c.ask(t, "stats", nil); unit == privd && err != nil {
				t.Errorf("after %s of %s: %v", verb, unit, err)
			} else if unit == frontd && faultCode(err) != faultSession {
				t.Errorf("after %s of %s: %v, want fault %d", verb, unit, err, faultSession)
			}
			m.reach(t)
			if after := m.mainPID(t, unit+".service"); after == before || after == 0 {
				t.Errorf("after %s of %s process %d is %d", verb, unit, before, after)
			}
			if result := m.show(t, unit+".service", "Result"); result != "success" {
				t.Errorf("%s of %s: %s", verb, unit, result)
			}
		}
	}
}

// Killed, frontd answers again within a second. One time has to show it: how long the others before it
// take is the machine's affair, which does more than this test.
func testAnswersAgain(t *testing.T, m *machine) {
	const limit = time.Second
	best := patience
	for deadline := time.Now().Add(patience); best > limit && time.Now().Before(deadline); {
		m.reach(t)
		m.signal(t, frontd+".service", syscall.SIGKILL)
		begin := time.Now()
		wait(t, "an answer", func() bool {
			err := m.caller(t).try("whoami", nil, "nobody's session")
			if refused(err) {
				t.Fatalf("refused: %v", err)
			}
			return faultCode(err) == faultSession
		})
		best = min(best, time.Since(begin))
	}
	t.Logf("answered %s after it was killed", best)
	if best > limit {
		t.Errorf("answers %s after it was killed, want %s", best, limit)
	}
}

func testIdleExit(t *testing.T, m *machine) {
	m.dropIn(t, privd, "ExecStart=\nExecStart=/usr/sbin/nuconntrack-privd --audit=journal --idle-exit=100ms\n")
	m.do(t, "systemctl", "stop", privd+".service")
	c := m.reach(t)
	// Not before frontd gives up its connection.
	wait(t, "the helper leaves", func() bool { return m.show(t, privd+".service", "ActiveState") == "inactive" })
	if result := m.show(t, privd+".service", "Result"); result != "success" {
		t.Errorf("it left with %s", result)
	}
	if err := c.ask(t, "stats", nil); err != nil {
		t.Errorf("the helper does not come back: %v", err)
	}
}

func testWatchdog(t *testing.T, m *machine) {
	for _, unit := range []string{frontd, privd} {
		t.Run(unit, func(t *testing.T) {
			// A machine that stands still for that long is for a longer time to show.
			for seconds := 1; m.restarts(t, unit, seconds) != "0"; seconds *= 2 {
				if seconds > 16 {
					t.Fatal("restarted while it was well")
				}
			}
			pid := m.signal(t, unit+".service", syscall.SIGSTOP)
			wait(t, "another process", func() bool {
				now := m.mainPID(t, unit+".service")
				return now != 0 && now != pid
			})
			m.reach(t)
		})
	}
}

// restarts watches a service give several signs of life, and tells how often it was restarted meanwhile.
func (m *machine) restarts(t *testing.T, unit string, seconds int) string {
	t.Helper()
	m.dropIn(t, unit, fmt.Sprintf("WatchdogSec=%ds\n", seconds))
	m.do(t, "systemctl", "stop", unit+".service")
	m.reach(t)
	seen := make(map[string]bool)
	wait(t, "signs of life", func() bool {
		seen[m.show(t, unit+".service", "WatchdogTimestampMonotonic")] = true
		return len(seen) > 3
	})
	return m.show(t, unit+".service", "NRestarts")
}

// A mistake in a configuration makes callers wait, and is mended without a restart by hand.
func testMistake(t *testing.T, m *machine) {
	const path = "/etc/nuconntrack/frontd.toml"
	shipped := read(t, m.path(path))
	t.Cleanup(func() { m.write(t, path, shipped) })
	m.write(t, path, "lissten = []\n"+shipped)
	m.do(t, "systemctl", "stop", frontd+".service")
	conn, err := m.dial(context.Background(), "tcp", port)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	defer conn.Close()
	m.said(t, frontd, "lissten")
	m.write(t, path, shipped)
	m.reach(t)
}

// A file of root's in the folder of secrets is a file for frontd.
func testCredential(t *testing.T, m *machine) {
	const path, secret = "/etc/nuconntrack/frontd.toml", "/etc/nuconntrack/secrets/passwd"
	shipped := read(t, m.path(path))
	t.Cleanup(func() {
		m.write(t, path, shipped)
		if err := os.Remove(m.path(secret)); err != nil {
			t.Error(err)
		}
		m.do(t, "systemctl", "stop", frontd+".service")
	})
	m.do(t, "install", "-m", "0600", "/etc/nuconntrack/passwd", secret)
	m.write(t, path, strings.Replace(shipped, `"/etc/nuconntrack/passwd"`,
		`"credential:secret_passwd"`, 1))
	m.do(t, "systemctl", "restart", frontd+".service")
	m.reach(t)
	m.do(t, "systemctl", "reload", frontd)
	m.reach(t)
}
