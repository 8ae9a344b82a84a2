// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"fmt"
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

// helper is the real privd, running.
type helper struct {
	cmd     *exec.Cmd
	socket  string
	started time.Time
	ledger  *ledger
	ended   chan struct{} // closed when the process has ended and all it wrote was read
	err     error         // how it ended
}

// startHelper starts privd for the user peer in the namespaces that cloned says, and
// waits until it serves. The test's end ends it.
func startHelper(t testing.TB, policy string, peer int, cloned uintptr) *helper {
	t.Helper()
	dir, err := os.MkdirTemp("", "nuct-") // short enough for sockets
	if err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		err = os.Chmod(dir, 0o711)
	}
	file := filepath.Join(dir, "policy.toml")
	if err == nil {
		err = os.WriteFile(file, []byte(policy), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	h := &helper{socket: filepath.Join(dir, "privd.sock"), started: time.Now(), ended: make(chan struct{})}
	h.cmd = exec.Command(os.Getenv(privdVariable), "--policy", file, "--socket", h.socket,
		"--peer-user", strconv.Itoa(peer), "--user", "self", "--audit", "stderr")
	h.cmd.Env = []string{}
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: cloned}
	stderr, err := h.cmd.StderrPipe()
	if err == nil {
		err = h.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	h.ledger = newLedger(peer, os.Getpid())
	go func() {
		defer close(h.ended)
		h.ledger.read(stderr)
		h.err = h.cmd.Wait()
	}()
	t.Cleanup(func() {
		h.stop(t)
		if t.Failed() {
			t.Logf("the helper's log ends with\n%s", h.ledger.log())
		}
	})
	waitFor(t, "the helper serves", func() bool { return h.ledger.says("msg=serving") })
	return h
}

// stop ends the helper as systemd does; it must end well. It may be called twice.
func (h *helper) stop(t testing.TB) {
	t.Helper()
	h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.ended:
	case <-time.After(patience):
		h.cmd.Process.Kill()
		t.Error("the helper does not end")
	}
	<-h.ended
	if h.err != nil {
		t.Errorf("the helper ended with %v", h.err)
	}
}

func (h *helper) client(t testing.TB) *ipc.Client {
	t.Helper()
	c := ipc.NewClient(ipc.ClientConfig{Path: h.socket})
	t.Cleanup(func() { c.Close() })
	return c
}

// usage is what a process takes.
type usage struct {
	files, threads, anonymous int // anonymous memory in KiB
}

func (u usage) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %d KiB", u.files, u.threads, u.anonymous)
}

// usage reads /proc; it is zero when the helper has ended.
func (h *helper) usage() (u usage) {
	proc := fmt.Sprintf("/proc/%d/", h.cmd.Process.Pid)
	files, err := os.ReadDir(proc + "fd")
	status, statusErr := os.ReadFile(proc + "status")
	if err != nil || statusErr != nil {
		return usage{}
	}
	u.files = len(files)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch name {
		case "Threads":
			u.threads = n
		case "RssAnon":
			u.anonymous = n
		}
	}
	return u
}

// watch looks at the helper's usage until the function it returns is called, which gives
// the most of each.
func (h *helper) watch() (stop func() usage) {
	done, result := make(chan struct{}), make(chan usage)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		var most usage
		for {
			u := h.usage()
			most = usage{max(most.files, u.files), max(most.threads, u.threads), max(most.anonymous, u.anonymous)}
			select {
			case <-tick.C:
			case <-done:
				result <- most
				return
			}
		}
	}()
	return func() usage {
		close(done)
		return <-result
	}
}
