// SPDX-License-Identifier: GPL-2.0-or-later

//go:build packages

package systemd_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"nuconntrack/privd/nstest"
)

// within copies a file into the machine.
func (m *machine) within(t *testing.T, file, inside string) string {
	t.Helper()
	if err := os.WriteFile(m.path(inside), []byte(read(t, file)), 0o644); err != nil {
		t.Fatal(err)
	}
	return inside
}

// apt runs apt without asking, and without a network.
func (m *machine) apt(t *testing.T, args ...string) {
	t.Helper()
	m.do(t, append([]string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "Dpkg::Options::=--force-confdef",
		"-o", "APT::Sandbox::User=root"}, args...)...)
}

// apart are folders of what changes by itself, or is kept about every package that there ever was.
var apart = []string{"/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/tmp", "/var/tmp", "/root", "/work", "/var/lib/rpm",
	"/var/lib/PackageKit", "/var/lib/systemd/linger"}

// contents lists what a machine has: files, and users with their groups. Of files it is what differs from
// the machine under it, where others install and remove what they like at the same time: what the
// container added, and what it removed.
func (m *machine) contents(t *testing.T) []string {
	t.Helper()
	all, err := m.written()
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, strings.Split(m.do(t, "find", "/run", "-path", "/run/systemd", "-prune", "-o", "-name", "*nuconntrack*", "-print"), "\n")...)
	all = append(all, strings.Split(m.do(t, "getent", "passwd")+m.do(t, "getent", "group"), "\n")...)
	// Backups that useradd and its like make.
	all = slices.DeleteFunc(all, func(s string) bool {
		return s == "" || strings.HasPrefix(s, "/etc/") && strings.HasSuffix(s, "-") || s == "/etc/.pwd.lock" || strings.HasPrefix(s, "/proc")
	})
	slices.Sort(all)
	return all
}

// removed stands before the name of a file that the container has removed.
const removed = "removed "

// written lists the files that are in the container and not under it, and with removed before them
// those that are only there.
func (m *machine) written() (all []string, err error) {
	err = filepath.WalkDir(m.upper, func(path string, d fs.DirEntry, err error) error {
		inside := strings.TrimPrefix(path, m.upper)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went meanwhile
		case err != nil:
			return err
		case slices.Contains(apart, inside):
			return fs.SkipDir
		}
		_, under := os.Lstat(filepath.Join("/", inside))
		if d.Type()&fs.ModeCharDevice != 0 { // overlayfs's whiteout, at these places
			all = append(all, removed+inside)
		} else if under != nil {
			all = append(all, inside)
		}
		return nil
	})
	return all, err
}

func testDeb(t *testing.T, m *machine, file, upgrade string) {
	if err := m.inNetwork(func() error { nstest.Track(t); return nil }); err != nil {
		t.Fatal(err)
	}
	// Nobody reads them in there.
	m.do(t, "rm", "-f", "/var/lib/man-db/auto-update")
	// A copy of its own: others may add users to the machine under it.
	m.do(t, "touch", "-c", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
	before := m.contents(t)
	deb, newer := m.within(t, file, "/tmp/first.deb"), m.within(t, upgrade, "/tmp/newer.deb")
	parts := []struct {
		name string
		run  func(*testing.T)
	}{
		{"without systemd", func(t *testing.T) { testWithoutSystemd(t, m, deb, before) }},
		{"install", func(t *testing.T) { testInstall(t, m, deb) }},
		{"upgrade", func(t *testing.T) { testUpgrade(t, m, func() { m.apt(t, "install", newer) }) }},
		{"what the administrator did stays", func(t *testing.T) { testStays(t, m, newer) }},
		{"remove and come back", func(t *testing.T) { testRemove(t, m, newer) }},
		{"purge", func(t *testing.T) {
			m.apt(t, "purge", "nuconntrack")
			nothingLeft(t, m, before)
		}},
	}
	for _, part := range parts {
		if !t.Run(part.name, part.run) {
			t.Logf("the journal's end:\n%s", m.do(t, "journalctl", "--no-pager", "--lines=60", "--output=short-precise"))
			return
		}
	}
}

// nothingLeft compares the machine with what it was.
func nothingLeft(t *testing.T, m *machine, before []string) {
	t.Helper()
	after := m.contents(t)
	for _, s := range after {
		if _, found := slices.BinarySearch(before, s); !found {
			t.Errorf("left: %s", s)
		}
	}
	for _, s := range before {
		if _, found := slices.BinarySearch(after, s); !found {
			t.Errorf("gone: %s", s)
		}
	}
	if units := m.do(t, "systemctl", "list-units", "--all", "--plain", "--no-legend", "nuconntrack-frontd*", "nuconntrack-privd*"); strings.TrimSpace(units) != "" {
		t.Errorf("units are left:\n%s", units)
	}
}

// As in a chroot or an image that is built: no systemd runs.
func testWithoutSystemd(t *testing.T, m *machine, deb string, before []string) {
	const alone = "mount -t tmpfs tmpfs /run/systemd && export DEBIAN_FRONTEND=noninteractive && "
	m.do(t, "unshare", "--mount", "sh", "-ec", alone+"dpkg --install "+deb)
	if got := strings.TrimSpace(m.do(t, "systemctl", "is-enabled", frontd+".socket")); got != "enabled" {
		t.Errorf("the socket is %s", got)
	}
	if m.active(t, frontd+".socket") {
		t.Error("something was started")
	}
	// Twice is as good as once.
	m.do(t, "unshare", "--mount", "sh", "-ec", alone+"dpkg --install "+deb+" && dpkg --purge nuconntrack")
	m.do(t, "systemctl", "daemon-reload")
	nothingLeft(t, m, before)
}

// The documented first call works.
func testInstall(t *testing.T, m *machine, deb string) {
	m.apt(t, "install", deb)
	for path, want := range map[string]string{
		"/run/nuconntrack-privd":       "750 root nuconntrack directory",
		"/etc/nuconntrack":             "755 root nuconntrack directory",
		"/etc/nuconntrack/secrets":     "700 root root directory",
		"/etc/nuconntrack/policy.toml": "644 root root regular file",
		"/etc/nuconntrack/frontd.toml": "644 root root regular file",
	} {
		if got := strings.TrimSpace(m.do(t, "stat", "--format=%a %U %G %F", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	for _, unit := range []string{frontd, privd} {
		if !m.active(t, unit+".socket") || m.show(t, unit+".socket", "UnitFileState") != "enabled" || m.active(t, unit+".service") {
			t.Errorf("%s: want a socket, enabled, and no service before the first call", unit)
		}
	}
	if err := m.caller(t).login(); faultCode(err) != faultAuthentication {
		t.Errorf("a login before there is a user: %v", err)
	}
	if _, err := m.tryWith(password+"\n", "nuctl", "passwd", user, "--stdin"); err != nil {
		t.Fatal(err)
	}
	list, err := m.tryWith("", "nuctl", "--user", user, "--password-command", "echo "+password, "list", "-j")
	if err != nil || !strings.HasPrefix(strings.TrimSpace(list), "[") {
		t.Errorf("nuctl list: %v\n%s", err, list)
	}
	if !strings.Contains(m.do(t, "journalctl", "--no-pager", "--list-catalog"), "NuConntrack") {
		t.Error("the catalog is not there")
	}
}

// testUpgrade calls all the time while something else puts a newer version in place.
func testUpgrade(t *testing.T, m *machine, install func()) {
	m.login(t).view(t, nil)
	before := map[string]int{}
	sockets := map[string]string{}
	for _, unit := range []string{frontd, privd} {
		before[unit] = m.mainPID(t, unit+".service")
		sockets[unit] = m.show(t, unit+".socket", "ActiveEnterTimestampMonotonic")
	}
	const old = "(deleted)"
	ctx, stop := context.WithCancel(t.Context())
	var calls atomic.Int64
	var calling sync.WaitGroup
	defer calling.Wait()
	defer stop()
	calling.Go(func() {
		for ctx.Err() == nil {
			conn, err := m.dial(t.Context(), "tcp", port)
			if err != nil {
				t.Errorf("refused after %d: %v", calls.Load(), err)
				return
			}
			conn.Close()
			if err := m.caller(t).try("whoami", nil, "nobody's session"); refused(err) {
				t.Errorf("refused after %d: %v", calls.Load(), err)
				return
			}
			calls.Add(1)
		}
	})
	more := func() {
		enough := calls.Load() + 5
		wait(t, "calls", func() bool { return calls.Load() >= enough || t.Failed() })
	}
	more()
	install()
	wait(t, "the newer version", func() bool {
		link, err := os.Readlink("/proc/" + strconv.Itoa(m.mainPID(t, frontd+".service")) + "/exe")
		return err == nil && !strings.Contains(link, old)
	})
	more()
	stop()
	calling.Wait()
	m.reach(t).view(t, nil)
	for _, unit := range []string{frontd, privd} {
		pid := m.mainPID(t, unit+".service")
		if link, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe"); pid == before[unit] || err != nil || strings.Contains(link, old) {
			t.Errorf("%s was not restarted: process %d, before %d, %s %v", unit, pid, before[unit], link, err)
		}
		if now := m.show(t, unit+".socket", "ActiveEnterTimestampMonotonic"); now != sockets[unit] {
			t.Errorf("the socket of %s was closed and opened again", unit)
		}
		if said := m.do(t, unit, "--version"); strings.TrimSpace(said) != unit+" "+higher {
			t.Errorf("it is %q", said)
		}
	}
}

func testStays(t *testing.T, m *machine, deb string) {
	const path = "/etc/nuconntrack/frontd.toml"
	mine := "# mine\n" + read(t, m.path(path))
	m.write(t, path, mine)
	m.do(t, "systemctl", "stop", frontd+".socket", frontd+".service")
	m.do(t, "dpkg", "--install", deb)
	if read(t, m.path(path)) != mine {
		t.Errorf("%s is not what the administrator wrote", path)
	}
	if m.active(t, frontd+".socket") || m.active(t, frontd+".service") {
		t.Error("started what was stopped")
	}
	m.do(t, "systemctl", "start", frontd+".socket")
	m.reach(t)
}

func testRemove(t *testing.T, m *machine, deb string) {
	m.do(t, "dpkg", "--remove", "nuconntrack")
	for _, unit := range []string{frontd + ".service", frontd + ".socket", privd + ".service", privd + ".socket"} {
		if m.active(t, unit) {
			t.Errorf("%s still runs", unit)
		}
	}
	if conn, err := m.dial(t.Context(), "tcp", port); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the port is open: %v", err)
		closeIf(conn)
	}
	if !strings.Contains(read(t, m.path("/etc/nuconntrack/passwd")), user) {
		t.Error("the users are gone")
	}
	m.do(t, "dpkg", "--install", deb)
	if !m.active(t, frontd+".socket") {
		t.Error("the socket is not there again")
	}
	m.reach(t)
}

func closeIf(c net.Conn) {
	if c != nil {
		c.Close()
	}
}
