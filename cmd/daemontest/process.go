// SPDX-License-Identifier: GPL-2.0-or-later

package daemontest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// reported is how much of what a process wrote is shown when its test has failed.
const reported = 8 << 10

// Output collects what a process writes, and may be read meanwhile. The zero value is ready.
type Output struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Process is one that runs until the test's end.
type Process struct {
	Name string // of its program
	Cmd  *exec.Cmd
	Out  Output // what it wrote, where the command does not say where to

	t      testing.TB
	ended  chan struct{} // closed when it has ended and Out is whole; err is set then
	err    error
	killed bool // the test killed it: how it ended does not count
	once   sync.Once
}

// Start starts a process. What the command leaves open is set: output goes to Out, and
// without a SysProcAttr the process dies with this one.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Name: filepath.Base(cmd.Path), Cmd: cmd, t: t, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.Out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.Out
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	started := make(chan error)
	go func() {
		// Pdeathsig means the death of the thread that started the process. This one is kept
		// for it: any other may be taken, and ended, by what a test does as another user.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if started <- err; err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.End()
		if t.Failed() {
			wrote := p.Out.String()
			t.Logf("%s wrote at last:\n%s", p.Name, wrote[max(0, len(wrote)-reported):])
		}
	})
	return p
}

// StartDaemon is Start that returns when the daemon says that it is ready, as it does to
// systemd.
func StartDaemon(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	address := filepath.Join(Folder(t), "notify")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ready.Close() }) // once the daemon has ended, and has said that
	// The daemon may be another user by then.
	if err := os.Chmod(address, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+address)
	ready.SetReadDeadline(time.Now().Add(Patience))
	p := Start(t, cmd)
	go func() {
		<-p.ended
		ready.SetReadDeadline(time.Now())
	}()
	said := make([]byte, 256)
	n, err := ready.Read(said)
	if err != nil || !strings.Contains(string(said[:n]), "READY=1") {
		t.Fatalf("%s does not become ready: it said %q, %v\n%s", p.Name, said[:n], err, &p.Out)
	}
	// The rest is read as systemd does, or the daemon would wait where ten messages lie.
	ready.SetReadDeadline(time.Time{})
	go func() {
		for err == nil {
			_, err = ready.Read(said)
		}
	}()
	return p
}

// End ends the process as systemd does, and wants it to end in time and well. It may be
// called again.
func (p *Process) End() {
	p.t.Helper()
	p.once.Do(func() {
		p.Cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(Patience):
			p.Cmd.Process.Kill()
			p.t.Errorf("%s does not end", p.Name)
		}
		<-p.ended
		if p.err != nil && !p.killed {
			p.t.Errorf("%s ended with %v", p.Name, p.err)
		}
	})
}

// Kill is kill -9.
func (p *Process) Kill() {
	p.killed = true
	p.Cmd.Process.Kill()
	<-p.ended
}

// Signal sends a signal to a process that must be there.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Stop holds the process still as SIGSTOP does, and returns once each of its threads stands: until
// then others than the one that took the signal may still work. SIGCONT, which the end of the
// test sends in any case, lets it go on.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.Signal(t, syscall.SIGSTOP)
	t.Cleanup(func() { p.Cmd.Process.Signal(syscall.SIGCONT) })
	for {
		err := unix.Waitid(unix.P_PID, p.PID(), nil, unix.WSTOPPED, nil)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			t.Fatalf("wait for %s to stand still: %v", p.Name, err)
		}
	}
}

// Says counts how often the process wrote a text.
func (p *Process) Says(text string) int { return strings.Count(p.Out.String(), text) }

// PID is the process's id, also after its end.
func (p *Process) PID() int { return p.Cmd.Process.Pid }
