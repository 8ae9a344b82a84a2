// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nuconntrack/ipc"
)

const (
	// programVariable makes the test's binary the program itself.
	programVariable = "NUCONNTRACK_TEST_PROGRAM"
	// dialVariable makes it a peer that connects to a socket and says hello.
	dialVariable = "NUCONNTRACK_TEST_DIAL"

	patience = 90 * time.Second
)

func TestMain(m *testing.M) {
	switch path := os.Getenv(dialVariable); {
	case os.Getenv(programVariable) != "":
		if os.Getenv("LISTEN_FDS") != "" {
			os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid())) // nobody else could know it
		}
		main()
	case path != "":
		os.Exit(dialAs(path))
	}
	os.Exit(m.Run())
}

// dialAs exits with 0 if it is served.
func dialAs(path string) int {
	client := ipc.NewClient(ipc.ClientConfig{Path: path, Timeout: patience})
	defer client.Close()
	if _, err := client.Stats(context.Background()); err != nil {
		return 1
	}
	return 0
}

// daemon is a running program.
type daemon struct {
	cmd    *exec.Cmd
	folder string
	socket string
	stderr *os.File      // the reading end
	lines  *bufio.Reader // of stderr
}

// folder is one that other users can enter, with a path that a socket has room for.
func folder(t *testing.T) string {
	t.Helper()
	path, err := os.MkdirTemp("", "privd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(path) })
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// start starts the program with a policy, on a socket in a folder of its own. configure
// changes the command before.
func startDaemon(t *testing.T, policy string, configure func(*exec.Cmd, *daemon), args ...string) *daemon {
	t.Helper()
	d := &daemon{folder: folder(t)}
	d.socket = filepath.Join(d.folder, "s")
	writeFile(t, d.policyFile(), policy)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	d.stderr, d.lines = r, bufio.NewReader(r)
	t.Cleanup(func() { r.Close() })
	d.cmd = exec.Command(self, append([]string{"--policy", d.policyFile(), "--socket", d.socket}, args...)...)
	d.cmd.Env = []string{programVariable + "=1"}
	d.cmd.Stderr = w
	d.cmd.SysProcAttr = &syscall.SysProcAttr{}
	if configure != nil {
		configure(d.cmd, d)
	}
	err = d.cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.cmd.Process.Kill()
		d.cmd.Wait()
	})
	return d
}

func (d *daemon) policyFile() string { return filepath.Join(d.folder, "policy.toml") }

// line waits for a line of standard error that holds text.
func (d *daemon) line(t *testing.T, text string) string {
	t.Helper()
	if err := d.stderr.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	for {
		line, err := d.lines.ReadString('\n')
		seen.WriteString(line)
		if err != nil {
			t.Fatalf("no line with %q: %v; there was:\n%s", text, err, seen.String())
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

func (d *daemon) client(t *testing.T) *ipc.Client {
	t.Helper()
	c := ipc.NewClient(ipc.ClientConfig{Path: d.socket, Timeout: patience})
	t.Cleanup(func() { c.Close() })
	return c
}

// stop ends the program and wants it to leave in order.
func (d *daemon) stop(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	d.wait(t, exitDone)
}

// wait wants the program to end by itself.
func (d *daemon) wait(t *testing.T, want int) {
	t.Helper()
	timer := time.AfterFunc(patience, func() { d.cmd.Process.Kill() })
	defer timer.Stop()
	err := d.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := d.cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
}

// inOwnNamespace starts the program in namespaces that map one user.
func inOwnNamespace(cmd *exec.Cmd, _ *daemon) {
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
}

func TestCommandLine(t *testing.T) {
	dir := folder(t)
	good, bad, loose := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "loose")
	writeFile(t, good, "zones = [3]\n[kill]\nallow = true\n")
	writeFile(t, bad, "[kill]\nallowed = true\n")
	writeFile(t, loose, "")
	if err := os.Chmod(loose, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"help", []string{"--help"}, 0, "--peer-user NAME|UID", ""},
		{"version", []string{"--version"}, 0, "nuconntrack-privd ", ""},
		{"check", []string{"--check-config", "--policy", good}, 0, "zones = [3]", ""},
		{"check without a file", []string{"--check-config", "--policy", dir + "/none"}, 0, "nothing may be killed", ""},
		{"check a bad file", []string{"--check-config", "--policy", bad}, 2, "", "allowed"},
		{"check a file that others may write", []string{"--check-config", "--policy", loose}, 2, "", "others than its owner"},
		{"unknown flag", []string{"--polcy", good}, 2, "", "-polcy"},
		{"argument", []string{"start"}, 2, "", `"start"`},
		{"bad duration", []string{"--idle-exit", "soon"}, 2, "", "soon"},
		{"negative duration", []string{"--idle-exit", "-1s"}, 2, "", "negative"},
		{"bad audit", []string{"--audit", "nowhere"}, 2, "", `"nowhere"`},
		{"check an unknown peer", []string{"--check-config", "--policy", good, "--peer-user", "no-such-user"}, 2, "", "no-such-user"},
		{"check the overflow uid as peer", []string{"--check-config", "--policy", good, "--peer-user", "65534"}, 2, "", "never served"},
		{"unknown peer", []string{"--peer-user", "no-such-user"}, 2, "", "no-such-user"},
		{"overflow uid as peer", []string{"--peer-user", "65534"}, 2, "", "never served"},
		{"nobody as peer", []string{"--peer-user", "4294967295"}, 2, "", "not a user id"},
		{"unknown user", []string{"--peer-user", "0", "--user", "no-such-user"}, 2, "", "no-such-user"},
		{"no folder for the socket", []string{"--peer-user", "0", "--user", "self", "--socket", dir + "/a/b/c"}, 1, "", "folder of the socket"},
		{"a file in the socket's place", []string{"--peer-user", "0", "--user", "self", "--socket", good}, 2, "", "is no socket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			code := run(t.Context(), c.args, strings.NewReader(""), &stdout, &stderr)
			if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("code %d, want %d\n%s\n%s", code, c.code, stdout.String(), stderr.String())
			}
			if (code == 0) != (stderr.Len() == 0) {
				t.Errorf("code %d and on standard error %q", code, stderr.String())
			}
		})
	}
}

// Nobody outside of its user namespace is served: the kernel cannot say who that is.
func TestOverflowUIDIsNotServed(t *testing.T) {
	if os.Getuid() == 65534 {
		t.Fatal("the tests run as the overflow uid")
	}
	for _, c := range []struct {
		name, peer string
		want       int // exit code; exitDone: it serves, but not us
	}{{"another user as peer", "1", exitDone}, {"the overflow uid as peer", "65534", exitUsage}} {
		t.Run(c.name, func(t *testing.T) {
			d := startDaemon(t, "", inOwnNamespace, "--user", "self", "--peer-user", c.peer)
			if c.want != exitDone {
				d.line(t, "never served")
				d.wait(t, c.want)
				return
			}
			d.line(t, "msg=serving")
			if _, err := d.client(t).Stats(t.Context()); !errors.Is(err, ipc.ErrUnavailable) {
				t.Errorf("a peer from outside is served: %v", err)
			}
			d.line(t, "not the user that is served")
			d.stop(t, syscall.SIGTERM)
		})
	}
}

func TestStaleSocket(t *testing.T) {
	stale := func(cmd *exec.Cmd, d *daemon) {
		inOwnNamespace(cmd, d)
		l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: d.socket, Net: "unixpacket"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
	}
	d := startDaemon(t, "", stale, "--user", "self", "--peer-user", "0")
	d.line(t, "msg=serving")
	second := startDaemon(t, "", func(cmd *exec.Cmd, e *daemon) {
		inOwnNamespace(cmd, e)
		cmd.Args[4] = d.socket
	}, "--user", "self", "--peer-user", "0")
	second.line(t, "in use by another process")
	second.wait(t, exitFailed)
	if _, err := os.Stat(d.socket); err != nil {
		t.Errorf("the socket in use was removed: %v", err)
	}
	d.stop(t, syscall.SIGINT)
	if _, err := os.Stat(d.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
