// SPDX-License-Identifier: GPL-2.0-or-later

package ways

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

var binDir string // set once by TestMain

// TestMain builds the programs once.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nuct-bin-")
	if err == nil {
		defer os.RemoveAll(dir)
		binDir = dir
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		cmd := exec.Command("go", "build", "-o", dir+"/", "nuconntrack/cmd/nuconntrack-frontd", "nuconntrack/cmd/nuctl")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		err = cmd.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build programs:", err)
		return 1
	}
	return m.Run()
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

// process is one that runs until the test's end.
type process struct {
	cmd *exec.Cmd
	out output
	end func()
}

// start starts a process that SIGTERM ends.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	p.end = func() {
		once.Do(func() {
			cmd.Process.Signal(syscall.SIGTERM)
			kill := time.AfterFunc(patience, func() { cmd.Process.Kill() })
			defer kill.Stop()
			cmd.Wait()
		})
	}
	t.Cleanup(func() {
		p.end()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(cmd.Path), &p.out)
		}
	})
	return p
}

// place is a folder of a test, short enough for sockets, that other users may enter.
type place string

func newPlace(t *testing.T) place {
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
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return place(dir)
}

func (p place) path(name string) string { return filepath.Join(string(p), name) }

func (p place) write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(p.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return p.path(name)
}

// frontd starts the daemon as whoever runs the test, and returns when it serves.
func (p place) frontd(t *testing.T, config string) *process {
	t.Helper()
	p.write(t, "frontd.toml", "user = \"self\"\nprivd = \"/nonexistent/privd.sock\"\nsession_timeout = \"10m\"\n"+config, 0o600)
	notify := p.path("notify")
	os.Remove(notify)
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	cmd := exec.Command(filepath.Join(binDir, "nuconntrack-frontd"), "--config", p.path("frontd.toml"))
	cmd.Env = []string{"NOTIFY_SOCKET=" + notify}
	d := start(t, cmd)
	ready.SetReadDeadline(time.Now().Add(patience))
	said := make([]byte, 256)
	if n, err := ready.Read(said); err != nil || !strings.Contains(string(said[:n]), "READY=1") {
		t.Fatalf("frontd does not become ready: %q, %v", said[:n], err)
	}
	return d
}

// freePort is a port of loopback on which nobody listened a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for end := time.Now().Add(patience); !so(); <-poll.C {
		if time.Now().After(end) {
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// overUnix is a client of a Unix socket.
func overUnix(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
}

// fromAddress is a client whose connections come from one of loopback's addresses.
func fromAddress(addr string) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
}

// answer is what a call brought: a string, or a fault.
type answer struct {
	status int
	value  string
	code   int
	fault  string
}

var (
	faultCode   = regexp.MustCompile(`(?s)<name>faultCode</name>\s*<value><int>(-?\d+)</int>`)
	faultString = regexp.MustCompile(`(?s)<name>faultString</name>\s*<value><string>(.*?)</string>`)
	oneString   = regexp.MustCompile(`(?s)<string>(.*?)</string>`)
	userMember  = regexp.MustCompile(`(?s)<name>user</name>\s*<value><string>(.*?)</string>`)
	roleMember  = regexp.MustCompile(`(?s)<name>role</name>\s*<value><string>(.*?)</string>`)
)

// call calls a method with strings. Its error is that of the connection.
func call(c *http.Client, url string, header http.Header, method string, args ...string) (answer, string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>", method)
	for _, a := range args {
		a = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(a)
		fmt.Fprintf(&b, "<param><value><string>%s</string></value></param>", a)
	}
	b.WriteString("</params></methodCall>")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(b.String()))
	if err != nil {
		return answer{}, "", err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "text/xml")
	res, err := c.Do(r)
	if err != nil {
		return answer{}, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return answer{}, "", err
	}
	text := string(body)
	a := answer{status: res.StatusCode}
	if m := faultCode.FindStringSubmatch(text); m != nil {
		a.code, _ = strconv.Atoi(m[1])
		a.fault = first(faultString, text)
	} else if res.StatusCode == http.StatusOK {
		a.value = first(oneString, text)
	}
	return a, text, nil
}

func first(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// who logs in and asks who it is: "user role", or "fault N".
func who(t *testing.T, c *http.Client, url string, header http.Header, args ...string) string {
	t.Helper()
	a, _, err := call(c, url, header, "login", args...)
	if err != nil {
		t.Fatalf("login: %v", err)
	}
	if a.code != 0 {
		return fmt.Sprint("fault ", a.code)
	}
	if a.status != http.StatusOK {
		return fmt.Sprint("status ", a.status)
	}
	_, text, err := call(c, url, header, "whoami", a.value)
	if err != nil {
		t.Fatalf("whoami: %v", err)
	}
	return first(userMember, text) + " " + first(roleMember, text)
}

// passwd makes a password file.
func (p place) passwd(t *testing.T, password string, users ...string) string {
	t.Helper()
	for _, user := range users {
		cmd := exec.Command(filepath.Join(binDir, "nuctl"), "passwd", "--file", p.path("passwd"), "--stdin", user)
		cmd.Stdin = strings.NewReader(password + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("nuctl passwd: %v\n%s", err, out)
		}
	}
	return p.path("passwd")
}
