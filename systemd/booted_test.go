// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system

package systemd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"
)

// TestBooted boots once; its parts follow each other on one machine.
func TestBooted(t *testing.T) {
	m := boot(t)
	if err := m.inNetwork(func() error { nstest.Track(t); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := m.tryWith(password+"\n", "nuctl", "passwd", user, "--stdin"); err != nil {
		t.Fatal(err)
	}
	// A session must not end because this machine takes its time between two calls.
	m.write(t, "/etc/nuconntrack/frontd.d/10-test.toml", "session_timeout = \"1h\"\n")
	for _, part := range []struct {
		name string
		run  func(*testing.T, *machine)
	}{
		{"files", testFiles},
		{"the first call starts both", testFirstCall},
		{"processes", testProcesses},
		{"audit", testAudit},
		{"reload", testReload},
		{"reload of the front daemon", testFrontdReload},
		{"logs", testLogs},
		{"metrics", testMetrics},
		{"stop and restart", testStopAndRestart},
		{"answers again", testAnswersAgain},
		{"idle helper", testIdleExit},
		{"watchdog", testWatchdog},
		{"mistake in a configuration", testMistake},
		{"a password of root alone", testCredential},
		{"a directory", testDirectory},
		{"what a taken-over daemon can do", testFences},
		{"killed under load", testKilled},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(t, m) }) {
			t.Logf("the journal's end:\n%s", m.do(t, "journalctl", "--no-pager", "--lines=100", "--output=short-precise"))
			return
		}
	}
}

func testFiles(t *testing.T, m *machine) {
	for path, want := range map[string]string{
		"/run/nuconntrack-privd":            "750 root nuconntrack directory",
		"/run/nuconntrack-privd/privd.sock": "660 root nuconntrack socket",
		"/etc/nuconntrack":                  "755 root nuconntrack directory",
		"/etc/nuconntrack/secrets":          "700 root root directory",
		"/etc/nuconntrack/passwd":           "640 root nuconntrack regular file",
		"/etc/nuconntrack/policy.toml":      "644 root root regular file",
	} {
		if got := strings.TrimSpace(m.do(t, "stat", "--format=%a %U %G %F", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	for unit, want := range map[string]string{
		frontd + ".socket": "enabled", privd + ".socket": "enabled",
	} {
		if got := m.show(t, unit, "UnitFileState"); got != want {
			t.Errorf("%s is %s, want %s", unit, got, want)
		}
	}
	if out, err := m.try("systemd-analyze", "verify", frontd+".service", privd+".service", frontd+".socket", privd+".socket"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func testFirstCall(t *testing.T, m *machine) {
	for _, unit := range []string{frontd, privd} {
		if m.active(t, unit+".service") || !m.active(t, unit+".socket") {
			t.Fatalf("%s: want a socket and no service before the first call", unit)
		}
	}
	m.login(t).view(t, nil)
	for _, unit := range []string{frontd, privd} {
		// It may serve before systemd has read that it is ready.
		wait(t, unit+" runs", func() bool { return m.active(t, unit+".service") })
	}
}

func testProcesses(t *testing.T, m *machine) {
	// The container has a filter for system calls already.
	outside := filters(t, statusOf(m.pid))
	const none, netAdmin = "0000000000000000", "0000000000001000"
	for unit, want := range map[string]struct{ user, permitted string }{
		frontd: {"nuconntrack", none}, privd: {"nuconntrack-privd", netAdmin},
	} {
		uid := strings.TrimSpace(m.do(t, "id", "-u", want.user))
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", m.mainPID(t, unit+".service")))
		if err != nil || len(tasks) == 0 {
			t.Fatalf("%s has %d threads: %v", unit, len(tasks), err)
		}
		for _, task := range tasks {
			status := statusFile(task + "/status")
			if len(status) == 0 {
				continue // that thread has ended
			}
			for key, value := range map[string]string{
				"Uid": strings.Join([]string{uid, uid, uid, uid}, " "), "NoNewPrivs": "1", "Seccomp": "2",
				"CapPrm": want.permitted, "CapEff": want.permitted, "CapBnd": want.permitted, "CapAmb": none,
			} {
				if status[key] != value {
					t.Errorf("%s, thread %s: %s is %q, want %q", unit, filepath.Base(task), key, status[key], value)
				}
			}
			if n := filters(t, status); n <= outside {
				t.Errorf("%s, thread %s: %d filters for system calls, and process 1 has %d", unit, filepath.Base(task), n, outside)
			}
		}
	}
	// Their own sandboxes are up, besides what the units do.
	for _, unit := range []string{frontd, privd} {
		m.said(t, unit, "sandbox installed")
	}
	front, helper := m.mainPID(t, frontd+".service"), m.mainPID(t, privd+".service")
	for _, kind := range []string{"net", "user", "ipc", "mnt"} {
		if namespace(t, front, kind) == namespace(t, m.pid, kind) {
			t.Errorf("frontd has no %s namespace of its own", kind)
		}
	}
	if namespace(t, helper, "net") != namespace(t, m.pid, "net") {
		t.Error("privd looks at another network namespace than the host's")
	}
	if namespace(t, helper, "mnt") == namespace(t, m.pid, "mnt") {
		t.Error("privd has no mnt namespace of its own")
	}
	interfaces := read(t, fmt.Sprintf("/proc/%d/net/dev", front))
	if n := strings.Count(interfaces, ":"); n != 1 || !strings.Contains(interfaces, "lo:") {
		t.Errorf("frontd sees other interfaces than lo:\n%s", interfaces)
	}
	if routes := read(t, fmt.Sprintf("/proc/%d/net/route", front)); strings.Count(routes, "\n") != 1 {
		t.Errorf("frontd has routes:\n%s", routes)
	}
}

// filters counts the filters for system calls.
func filters(t *testing.T, status map[string]string) int {
	t.Helper()
	n, err := strconv.Atoi(status["Seccomp_filters"])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func namespace(t *testing.T, pid int, kind string) string {
	t.Helper()
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	if err != nil {
		t.Fatal(err)
	}
	return link
}
