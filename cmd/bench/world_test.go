// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"

	"github.com/kolo/xmlrpc"
)

// benchUser logs in.
const benchUser = "bench"

// world is a pair of daemons, and a session.
type world struct {
	*daemontest.World
	address string
	http    *http.Client
	session string
}

// start starts both daemons; their logs and the audit are discarded.
func start(t *testing.T) *world {
	t.Helper()
	w := &world{World: daemontest.NewWorld(t), address: "127.0.0.1:8580"}
	w.start(t, daemontest.Command(daemontest.Privd, w.PrivdArgs("stderr")...))
	return w
}

func (w *world) start(t *testing.T, helper *exec.Cmd) {
	t.Helper()
	w.Write(t, "policy.toml", "[kill]\nallow = true\nrate = 1000000\nburst = 1000000\n[dump]\nduty = 1.0\n")
	config := w.WriteConfig(t, fmt.Sprintf("listen = [%q]\n[auth]\nbackend = \"none\"\n", w.address))
	w.Privd = quiet(t, helper)
	w.Frontd = quiet(t, daemontest.Command(daemontest.Frontd, "--config", config))
	w.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	w.session = w.call(t, "login", benchUser).(string)
}

// quiet starts a daemon whose output costs nothing, and nobody else's time to read it.
func quiet(t *testing.T, cmd *exec.Cmd) *daemontest.Process {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd.Stdout, cmd.Stderr = null, null
	return daemontest.StartDaemon(t, cmd)
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
func anonymous(t *testing.T, p *daemontest.Process) int64 { return statusOf(t, p, "RssAnon:") }

// peak is the most memory that a process had.
func peak(t *testing.T, p *daemontest.Process) int64 { return statusOf(t, p, "VmHWM:") }

func statusOf(t *testing.T, p *daemontest.Process, field string) int64 {
	t.Helper()
	n, err := readStatus(strconv.Itoa(p.PID()), field)
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
