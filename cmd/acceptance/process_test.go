// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output collects what a process writes, and may be read meanwhile.
type output struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// tail is the end of it, for the report of a failure.
func (o *output) tail() string {
	const most = 2000
	s := o.String()
	return s[max(0, len(s)-most):]
}

// process is a daemon that runs. The test's end ends it, and wants it to end well.
type process struct {
	name   string
	cmd    *exec.Cmd
	out    output
	ended  chan struct{} // closed when it has ended; err is set then
	err    error
	killed bool // the test killed it: how it ended does not count
}

// startDaemon starts a daemon and waits until it says that it is ready, as systemd does.
func startDaemon(t testing.TB, attr *syscall.SysProcAttr, name string, args ...string) *process {
	t.Helper()
	dir := shortDir(t)
	address := filepath.Join(dir, "notify")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	// Daemons may be other users by then.
	for path, mode := range map[string]os.FileMode{dir: 0o711, address: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	p := &process{name: name, cmd: exec.Command(bin(name), args...), ended: make(chan struct{})}
	p.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET=" + address}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = attr
	if attr == nil {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
		ready.SetReadDeadline(time.Now())
	}()
	t.Cleanup(func() {
		p.end(t)
		ready.Close()
	})
	said := make([]byte, 256)
	ready.SetReadDeadline(time.Now().Add(patience))
	n, err := ready.Read(said)
	if err != nil || !strings.Contains(string(said[:n]), "READY=1") {
		t.Fatalf("%s does not become ready: it said %q, %v\n%s", name, said[:n], err, &p.out)
	}
	return p
}

// end ends the process as systemd does, and wants it to end in time and well.
func (p *process) end(t testing.TB) {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.cmd.Process.Kill()
		t.Errorf("%s does not end", p.name)
	}
	<-p.ended
	if p.err != nil && !p.killed {
		t.Errorf("%s ended with %v", p.name, p.err)
	}
	if t.Failed() {
		t.Logf("%s wrote at last:\n%s", p.name, p.out.tail())
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.killed = true
	p.cmd.Process.Kill()
	<-p.ended
}

// says counts how often the process wrote a text.
func (p *process) says(text string) int { return strings.Count(p.out.String(), text) }

func (p *process) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// shortDir makes a folder whose path is short enough for sockets.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nuct-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// command runs a program to its end and gives its exit code.
func command(t testing.TB, stdin, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(bin(name), args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
