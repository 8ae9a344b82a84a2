// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"bytes"
	"fmt"
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

const (
	// binVariable tells the processes inside namespaces where the programs are.
	binVariable = "NUCONNTRACK_CLIENTS_BIN"
	// patience is how long a test waits for what must happen.
	patience = 30 * time.Second
	// address is where frontd listens, in a namespace of its own.
	address  = "127.0.0.1:8580"
	user     = "ann"
	password = "correct horse battery"
)

const policy = `
[kill]
allow = true

[change]
allow = true
timeout_min = 10
timeout_max = 432000
`

// TestMain builds the programs once, for this process and those that it starts.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv(binVariable) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nuct-bin-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = build(dir)
	}
	if err == nil {
		err = os.Setenv(binVariable, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build programs:", err)
		return 1
	}
	return m.Run()
}

func build(dir string) error {
	const cmd = "nuconntrack/cmd/"
	if err := goBuild(dir, cmd+"nuconntrack-privd", cmd+"nuconntrack-frontd", cmd+"nuctl"); err != nil {
		return err
	}
	return buildClients(dir)
}

// goBuild builds programs of this module.
func goBuild(dir string, paths ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-o", dir + string(filepath.Separator)}, paths...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func bin(name string) string { return filepath.Join(os.Getenv(binVariable), name) }

// serve starts both daemons in the namespace of this process, until the test ends. Views are
// content with an old table, so that it shows whether refresh works.
func serve(t *testing.T, config string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nuct-") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	file := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("policy.toml", policy)
	passwd := exec.Command(bin("nuctl"), "passwd", "--file", file("passwd"), "--hash", "bcrypt", "--stdin", user)
	passwd.Stdin = strings.NewReader(password + "\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("nuctl passwd: %v\n%s", err, out)
	}
	write("frontd.toml", fmt.Sprintf(`listen = [%q]
privd = %q
user = "self"
session_timeout = "10m"
max_age = "5m"
%s
[auth]
backend = "file"
file = %q
`, address, file("privd.sock"), config, file("passwd")))
	start(t, "nuconntrack-privd", "--policy", file("policy.toml"), "--socket", file("privd.sock"),
		"--peer-user", "0", "--user", "self", "--audit", "stderr")
	start(t, "nuconntrack-frontd", "--config", file("frontd.toml"))
}

// start starts a daemon and waits until it says that it is ready, as systemd does.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "nuct-")
	if err != nil {
		t.Fatal(err)
	}
	notify := filepath.Join(dir, "notify")
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	var out output
	cmd := exec.Command(bin(name), args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET=" + notify}
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s ended with %v", name, err)
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, &out)
		}
		ready.Close()
		os.RemoveAll(dir)
	})
	said := make([]byte, 256)
	ready.SetReadDeadline(time.Now().Add(patience))
	n, err := ready.Read(said)
	if err != nil || !strings.Contains(string(said[:n]), "READY=1") {
		t.Fatalf("%s does not become ready: %v\n%s", name, err, &out)
	}
}

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
