// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kolo/xmlrpc"
)

// benchUser logs in.
const benchUser = "bench"

// world is a pair of daemons.
type world struct {
	address       string
	socket        string
	privd, frontd int // process ids
	http          *http.Client
	session       string
}

// start starts both daemons; their logs and the audit are discarded.
func start(t *testing.T) *world {
	t.Helper()
	w := &world{address: "127.0.0.1:8580"}
	w.start(t, "stderr", func(args []string) { w.privd = daemon(t, "nuconntrack-privd", args...) })
	return w
}

func (w *world) start(t *testing.T, audit string, helper func(args []string)) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nuct-bench-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w.socket = filepath.Join(dir, "privd.sock")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	policy := write("policy.toml", "[kill]\nallow = true\nrate = 1000000\nburst = 1000000\n[dump]\nduty = 1.0\n")
	config := write("frontd.toml", fmt.Sprintf("listen = [%q]\nprivd = %q\nuser = \"self\"\nsession_timeout = \"1h\"\n[auth]\nbackend = \"none\"\n",
		w.address, w.socket))
	helper([]string{"--policy", policy, "--socket", w.socket, "--peer-user", "0", "--user", "self", "--audit", audit})
	waitFor(t, func() bool {
		_, err := os.Stat(w.socket)
		return err == nil
	})
	w.frontd = daemon(t, "nuconntrack-frontd", "--config", config)
	w.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	waitFor(t, func() bool {
		c, err := net.Dial("tcp", w.address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	w.session = w.call(t, "login", benchUser).(string)
}

func daemon(t *testing.T, name string, args ...string) int {
	t.Helper()
	return run(t, exec.Command(bin(name), args...))
}

// run starts a process that ends with the test, and gives its id.
func run(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd.Stdout, cmd.Stderr = null, null
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	return cmd.Process.Pid
}

func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(30 * time.Second); !so(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

// post sends a call and reads the answer, which it only looks through for a fault.
func (w *world) post(t testing.TB, body []byte) []byte {
	t.Helper()
	res, err := w.http.Post("http://"+w.address+"/RPC2", "text/xml", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("<fault>")) {
		t.Fatal(b.String())
	}
	return b.Bytes()
}

func (w *world) call(t testing.TB, method string, args ...any) any {
	t.Helper()
	var result any
	if err := xmlrpc.Response(w.post(t, w.document(t, method, args...))).Unmarshal(&result); err != nil {
		t.Fatal(err)
	}
	return result
}

// document is a call, with the session's id where there is one.
func (w *world) document(t testing.TB, method string, args ...any) []byte {
	t.Helper()
	if w.session != "" {
		args = append([]any{w.session}, args...)
	}
	body, err := xmlrpc.EncodeMethodCall(method, args...)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// anonymous is a process's memory that no file backs, in bytes.
func anonymous(t *testing.T, pid int) int64 { return statusOf(t, pid, "RssAnon:") }

// peak is the most memory that a process had.
func peak(t *testing.T, pid int) int64 { return statusOf(t, pid, "VmHWM:") }

func statusOf(t *testing.T, pid int, field string) int64 {
	t.Helper()
	n, err := readStatus(strconv.Itoa(pid), field)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// readStatus reads a line of /proc/PID/status that is in kB, and gives bytes.
func readStatus(pid, field string) (int64, error) {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %s has no %s", pid, field)
}
