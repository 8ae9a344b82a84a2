// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
)

// helper is the real privd, running.
type helper struct {
	process *daemontest.Process
	socket  string
	started time.Time
	ledger  *ledger
}

// startHelper starts privd for the user peer in the namespaces that cloned says, and
// waits until it serves. The test's end ends it.
func startHelper(t testing.TB, policy string, peer int, cloned uintptr) *helper {
	t.Helper()
	w := daemontest.NewWorld(t)
	h := &helper{socket: w.Path("privd.sock"), started: time.Now(), ledger: newLedger(peer, os.Getpid())}
	cmd := daemontest.Command(daemontest.Privd, "--policy", w.Write(t, "policy.toml", policy), "--socket", h.socket,
		"--peer-user", strconv.Itoa(peer), "--user", "self", "--audit", "stderr")
	cmd.Stderr = h.ledger
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Cloneflags: cloned}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the helper's log ends with\n%s", h.ledger.log())
		}
	})
	h.process = daemontest.StartDaemon(t, cmd)
	return h
}

// stop ends the helper as systemd does; it must end well, with all that it wrote read. It
// may be called twice.
func (h *helper) stop() { h.process.End() }

func (h *helper) client(t testing.TB) *ipc.Client {
	t.Helper()
	c := ipc.NewClient(ipc.ClientConfig{Path: h.socket, Timeout: daemontest.Patience})
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
	proc := fmt.Sprintf("/proc/%d/", h.process.PID())
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
