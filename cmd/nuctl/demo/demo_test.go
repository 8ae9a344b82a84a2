// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// running is a `nuctl demo` with stand-ins for the daemons.
type running struct {
	cmd     *exec.Cmd
	dir     string
	welcome string
	stderr  *bytes.Buffer
	ended   chan error
}

// binDir makes a folder that holds this test's program under the daemons' names.
func binDir(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{privdName, frontdName} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// start runs a demo and waits until it has said all or has ended.
func start(t *testing.T, bins string, args ...string) *running {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startProgram(t, filepath.Join(t.TempDir(), "demo"), self, "demo", append([]string{"--bin-dir", bins}, args...)...)
}

// startProgram is start for any program, command and folder.
func startProgram(t *testing.T, dir, program, command string, args ...string) *running {
	t.Helper()
	r := &running{dir: dir, stderr: new(bytes.Buffer), ended: make(chan error, 1)}
	r.cmd = exec.Command(program, append([]string{command, "--dir", dir, "--listen", "127.0.0.1:0"}, args...)...)
	r.cmd.Stderr = r.stderr
	out, w := io.Pipe()
	r.cmd.Stdout = w
	r.cmd.WaitDelay = patience
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		err := r.cmd.Wait()
		w.Close()
		r.ended <- err
	}()
	t.Cleanup(func() { r.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		r.welcome += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			break
		}
	}
	go io.Copy(io.Discard, out)
	return r
}

// waitEnd waits for the end of the outer process.
func (r *running) waitEnd(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(patience):
		t.Fatal("the demo does not end")
		return nil
	}
}

// pids lists all processes whose command lines name the demo's folder.
func (r *running) pids(t *testing.T) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err == nil && bytes.Contains(line, []byte(r.dir)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			found = append(found, pid)
		}
	}
	return found
}

// wantNothingLeft waits until neither process nor folder is there.
func (r *running) wantNothingLeft(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		left := r.pids(t)
		_, err := os.Lstat(r.dir)
		if len(left) == 0 && os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: processes %d; folder: %v", left, err)
		}
		time.Sleep(20 * time.Millisecond) // a poll: nothing tells about other processes' ends
	}
}

// address reads the welcome as a user does.
func (r *running) address(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`Address +(http://\S+/)`).FindStringSubmatch(r.welcome)
	if found == nil {
		t.Fatalf("no address printed; output:\n%s%s", r.welcome, r.stderr)
	}
	return found[1]
}

func TestDemoServesAndEndsCleanly(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			r := start(t, binDir(t))
			response, err := http.Post(r.address(t)+"RPC2", "text/xml", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			// One socket, announced as systemd does; no way out; nothing of the user's environment.
			if want := `fds=1 names=rpc sockets=3 dial=true home=""`; !strings.Contains(string(body), want) {
				t.Errorf("frontd says %s, want %s", body, want)
			}
			info, err := os.Stat(r.dir)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("folder: %v, %v; want mode 0700", info, err)
			}
			if n := len(r.pids(t)); n < 4 {
				t.Errorf("%d processes run, want outer, inner and two daemons", n)
			}
			r.cmd.Process.Signal(signal)
			if err := r.waitEnd(t); err != nil {
				t.Errorf("ended with %v; standard error:\n%s", err, r.stderr)
			}
			if r.stderr.Len() > 0 {
				t.Errorf("standard error: %s", r.stderr)
			}
			if _, err := os.Lstat(r.dir); !os.IsNotExist(err) {
				t.Errorf("folder at the end: %v", err)
			}
			r.wantNothingLeft(t)
		})
	}
}

func TestDemoLeavesNothingWhenKilled(t *testing.T) {
	r := start(t, binDir(t))
	r.address(t)
	r.cmd.Process.Kill()
	r.waitEnd(t)
	r.wantNothingLeft(t)
}

func TestDemoEndsByItself(t *testing.T) {
	r := start(t, binDir(t), "--for", "1ms")
	if err := r.waitEnd(t); err != nil {
		t.Errorf("ended with %v; standard error:\n%s", err, r.stderr)
	}
	r.wantNothingLeft(t)
}

func TestDemoSaysWhyADaemonDied(t *testing.T) {
	bins := binDir(t)
	if err := os.WriteFile(filepath.Join(bins, "die"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, bins)
	if err := r.waitEnd(t); err == nil {
		t.Error("ended without an error")
	}
	if !strings.Contains(r.stderr.String(), "these are my last words") {
		t.Errorf("standard error does not quote the daemon:\n%s", r.stderr)
	}
	r.wantNothingLeft(t)
}

func TestDemoUsesAFreePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := start(t, binDir(t), "--listen", taken.Addr().String())
	address := r.address(t)
	if strings.Contains(address, taken.Addr().String()) {
		t.Errorf("serves on %s, which is taken", address)
	}
	r.cmd.Process.Signal(syscall.SIGINT)
	r.waitEnd(t)
	if want := taken.Addr().String() + " is taken"; !strings.Contains(r.stderr.String(), want) {
		t.Errorf("standard error %q does not say %q", r.stderr, want)
	}
}

func TestDemoRefuses(t *testing.T) {
	existing := t.TempDir()
	bins := binDir(t)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"folder that exists", []string{"--dir", existing}, "exists already"},
		{"folder too deep for a socket", []string{"--dir", filepath.Join(t.TempDir(), strings.Repeat("x", 108))}, "too long"},
		{"no daemons", []string{"--bin-dir", existing}, privdName},
		{"address without a port", []string{"--listen", "127.0.0.1"}, "missing port"},
		{"address of another machine", []string{"--listen", "192.0.2.1:80"}, "listen"},
		{"negative time", []string{"--for", "-1s"}, "negative"},
		{"argument", []string{"extra"}, "extra"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"--bin-dir", bins, "--listen", "127.0.0.1:0"}, test.args...)
			cmd := Command()
			var output bytes.Buffer
			cmd.SetOut(&output)
			cmd.SetErr(&output)
			cmd.SetArgs(args)
			err := cmd.ExecuteContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	if left, _ := os.ReadDir(existing); len(left) != 0 {
		t.Errorf("left in somebody's folder: %v", left)
	}
}

// By hand the inner command would remove the folder it is given.
func TestInnerCommandByHand(t *testing.T) {
	for _, host := range []string{"false", "true"} {
		dir := t.TempDir()
		out, err := exec.CommandContext(t.Context(), ownExecutable, "demo", "inside", "--host="+host, "--dir", dir).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "for `nuctl demo` and `nuctl host` only") {
			t.Errorf("--host=%s: %v: %s", host, err, out)
		}
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("--host=%s: %v", host, err)
		}
	}
}
