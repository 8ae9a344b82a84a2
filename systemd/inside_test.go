// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system || packages

package systemd_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Units.
const (
	frontd = "nuconntrack-frontd"
	privd  = "nuconntrack-privd"
)

// try runs a command inside and gives its standard output.
func (m *machine) try(args ...string) (string, error) { return m.tryWith("", args...) }

func (m *machine) tryWith(stdin string, args ...string) (string, error) {
	cmd := exec.Command("nsenter", append([]string{"--target", strconv.Itoa(m.pid), "--all", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	cmd.Stdin = strings.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%v: %w\n%s%s", args, err, out, errs.String())
	}
	return string(out), err
}

// do runs a command inside, which has to succeed.
func (m *machine) do(t *testing.T, args ...string) string {
	t.Helper()
	out, err := m.try(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// write writes a file inside, as an editor does: under another name first.
func (m *machine) write(t *testing.T, path, text string) {
	t.Helper()
	path = m.path(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// path is a path inside as seen from here.
func (m *machine) path(inside string) string { return fmt.Sprintf("/proc/%d/root%s", m.pid, inside) }

// show gives a property of a unit.
func (m *machine) show(t *testing.T, unit, property string) string {
	t.Helper()
	return strings.TrimSpace(m.do(t, "systemctl", "show", "--value", "--property="+property, unit))
}

// active reports whether a service runs.
func (m *machine) active(t *testing.T, unit string) bool {
	t.Helper()
	return m.show(t, unit, "ActiveState") == "active"
}

// mainPID is a service's process as seen from here; 0: there is none.
func (m *machine) mainPID(t *testing.T, unit string) int {
	t.Helper()
	inside := m.show(t, unit, "MainPID")
	if inside == "0" {
		return 0
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", m.pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if !strings.HasSuffix(statusOf(pid)["NSpid"], " "+inside) {
			continue
		}
		if there, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)); err == nil && there == namespace {
			return pid
		}
	}
	return 0
}

// signal sends one to a service's process, and gives that.
func (m *machine) signal(t *testing.T, unit string, s syscall.Signal) (pid int) {
	t.Helper()
	wait(t, "a process of "+unit, func() bool { pid = m.mainPID(t, unit); return pid != 0 })
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
	return pid
}

// said waits until the journal has a word of a unit.
func (m *machine) said(t *testing.T, unit, what string) {
	t.Helper()
	wait(t, unit+" says "+what, func() bool {
		m.do(t, "journalctl", "--sync")
		return strings.Contains(m.do(t, "journalctl", "--no-pager", "--unit="+unit), what)
	})
}

// dropIn adds lines to a service until the test ends.
func (m *machine) dropIn(t *testing.T, unit, lines string) {
	t.Helper()
	folder := "/run/systemd/system/" + unit + ".service.d"
	m.write(t, folder+"/test.conf", "[Service]\n"+lines)
	m.do(t, "systemctl", "daemon-reload")
	t.Cleanup(func() {
		if err := os.RemoveAll(m.path(folder)); err != nil {
			t.Error(err)
		}
		for _, args := range [][]string{{"daemon-reload"}, {"stop", unit + ".service"}} {
			if _, err := m.try(append([]string{"systemctl"}, args...)...); err != nil {
				t.Error(err)
			}
		}
	})
}

// inNetwork runs body in the machine's network namespace: sockets made there are the
// machine's.
func (m *machine) inNetwork(body func() error) error {
	ended := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		err := fmt.Errorf("the test gave up in there")
		defer func() { ended <- err }()
		if err = unix.Setns(int(m.netns.Fd()), unix.CLONE_NEWNET); err == nil {
			err = body()
		}
	}()
	return <-ended
}

func (m *machine) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = m.inNetwork(func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}
