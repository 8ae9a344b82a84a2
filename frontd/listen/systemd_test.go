// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// stage tells the test binary which part of a started service to play.
const stage = "LISTEN_TEST_STAGE"

func TestMain(m *testing.M) {
	switch os.Getenv(stage) {
	case "starter": // between fork and exec, as systemd: only now the pid is known
		_ = os.Setenv(stage, "service") // the name is valid
		env := os.Environ()
		if os.Getenv("LISTEN_PID") == "" {
			env = append(env, "LISTEN_PID="+strconv.Itoa(os.Getpid()))
		}
		fmt.Println("exec:", unix.Exec("/proc/self/exe", os.Args, env))
		os.Exit(1)
	case "service":
		os.Exit(service())
	case "client":
		os.Exit(dialAndHold())
	}
	os.Exit(m.Run())
}

// service opens what it was passed, says so, and greets the first client of each.
func service() int {
	cfg := Config{Addresses: []Address{{Unix: os.Getenv("LISTEN_TEST_OWN")}}}
	if os.Getenv("LISTEN_TEST_CHECK") != "" {
		cfg.Check = func(a net.Addr, _ bool) error {
			if !Local(a) {
				return errors.New("not for others")
			}
			return nil
		}
	}
	ctx, stop := contextOfParent()
	defer stop()
	listeners, err := Open(ctx, cfg)
	if err != nil {
		fmt.Println("error:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 0
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if v, ok := os.LookupEnv(name); ok {
			fmt.Printf("error: %s is still %q\n", name, v)
			return 0
		}
	}
	for _, l := range listeners {
		fmt.Println("listener:", l.Name, l.Passed, l.Addr().Network())
	}
	fmt.Println("ready")
	for _, l := range listeners {
		c, err := l.Accept()
		if err != nil {
			fmt.Println("error:", err)
			return 0
		}
		fmt.Fprint(c, "hello")
		c.Close()
		l.Close()
	}
	return 0
}

// contextOfParent ends the process when its standard input does: with the test that started it.
func contextOfParent() (context.Context, context.CancelFunc) {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return context.WithCancel(context.Background())
}

// activated starts a service with sockets and returns what it says up to 'ready'.
func activated(t *testing.T, files []*os.File, env ...string) []string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append([]string{
		stage + "=starter", "LISTEN_TEST_OWN=" + filepath.Join(t.TempDir(), "own"),
		"LISTEN_FDS=" + strconv.Itoa(len(files)),
	}, env...)
	cmd.ExtraFiles = files
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	hold, err := cmd.StdinPipe() // the service ends with us
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		hold.Close()
		_ = cmd.Wait() // the exit code says nothing: lines do
	})
	var lines []string
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		lines = append(lines, scanner.Text())
		if scanner.Text() == "ready" {
			break
		}
	}
	return lines
}

func fileOf(t *testing.T, s interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	f, err := s.File()
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func tcpListener(t *testing.T, addr string) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp4", addr)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func TestActivation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ul, err := net.Listen("unix", path)
	must(t, err)
	defer ul.Close()
	tl := tcpListener(t, "127.0.0.1:0")
	lines := activated(t, []*os.File{fileOf(t, tl), fileOf(t, ul.(*net.UnixListener))}, "LISTEN_FDNAMES=rpc:rpc")
	want := []string{"listener: rpc true tcp", "listener: rpc true unix", "ready"}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Fatalf("service says %q, want %q", lines, want)
	}
	for _, l := range []net.Listener{tl, ul} {
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		must(t, err)
		buf := make([]byte, 5)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "hello" {
			t.Errorf("%s: read %q, %v", l.Addr(), buf[:n], err)
		}
		c.Close()
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the service removed systemd's socket: %v", err)
	}
}

// TestActivationOfMetrics: what is passed for calls or for metrics replaces what would be opened for
// the same, and nothing is opened for metrics where systemd passes anything.
func TestActivationOfMetrics(t *testing.T) {
	own := "LISTEN_TEST_OWN=" + filepath.Join(t.TempDir(), "own")
	for name, test := range map[string]struct {
		files int
		env   []string
		want  []string
	}{
		"both":         {2, []string{"LISTEN_FDNAMES=rpc:metrics"}, []string{"listener: rpc true tcp", "listener: metrics true tcp"}},
		"metrics only": {1, []string{"LISTEN_FDNAMES=metrics", own}, []string{"listener: metrics true tcp", "listener: rpc false unix"}},
	} {
		t.Run(name, func(t *testing.T) {
			var files []*os.File
			for range test.files {
				files = append(files, fileOf(t, tcpListener(t, "127.0.0.1:0")))
			}
			lines := activated(t, files, test.env...)
			if want := append(test.want, "ready"); strings.Join(lines, "\n") != strings.Join(want, "\n") {
				t.Errorf("service says %q, want %q", lines, want)
			}
		})
	}
}

func TestActivationOfOneByAnyName(t *testing.T) {
	for name, env := range map[string]string{
		"no names":       "",
		"empty name":     "LISTEN_FDNAMES=",
		"unknown":        "LISTEN_FDNAMES=unknown",
		"name of a unit": "LISTEN_FDNAMES=nuconntrack-frontd.socket",
	} {
		t.Run(name, func(t *testing.T) {
			lines := activated(t, []*os.File{fileOf(t, tcpListener(t, "127.0.0.1:0"))}, env)
			if len(lines) != 2 || lines[0] != "listener: rpc true tcp" {
				t.Errorf("service says %q", lines)
			}
		})
	}
}

func TestActivationRefuses(t *testing.T) {
	listener := func(t *testing.T) *os.File { return fileOf(t, tcpListener(t, "127.0.0.1:0")) }
	null := func(t *testing.T) *os.File {
		f, err := os.Open(os.DevNull)
		must(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	datagram := func(t *testing.T) *os.File {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, err)
		t.Cleanup(func() { c.Close() })
		return fileOf(t, c)
	}
	connected := func(t *testing.T) *os.File {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		t.Cleanup(func() { unix.Close(pair[1]) })
		f := os.NewFile(uintptr(pair[0]), "pair")
		t.Cleanup(func() { f.Close() })
		return f
	}
	packets := func(t *testing.T) *os.File {
		l, err := net.Listen("unixpacket", filepath.Join(t.TempDir(), "s"))
		must(t, err)
		t.Cleanup(func() { l.Close() })
		return fileOf(t, l.(*net.UnixListener))
	}
	tests := map[string]struct {
		files []func(t *testing.T) *os.File
		env   []string
		want  string
	}{
		"another name":         {[]func(*testing.T) *os.File{listener}, []string{"LISTEN_FDNAMES=http"}, "rpc"},
		"metrics by another":   {[]func(*testing.T) *os.File{listener, listener}, []string{"LISTEN_FDNAMES=rpc:Metrics"}, "metrics"},
		"two without names":    {[]func(*testing.T) *os.File{listener, listener}, nil, "name"},
		"second without name":  {[]func(*testing.T) *os.File{listener, listener}, []string{"LISTEN_FDNAMES=rpc"}, "name"},
		"a file":               {[]func(*testing.T) *os.File{null}, []string{"LISTEN_FDNAMES=rpc"}, "type"},
		"datagrams":            {[]func(*testing.T) *os.File{datagram}, []string{"LISTEN_FDNAMES=rpc"}, "not a listening stream"},
		"packets":              {[]func(*testing.T) *os.File{packets}, []string{"LISTEN_FDNAMES=rpc"}, "not a listening stream"},
		"a connection":         {[]func(*testing.T) *os.File{connected}, []string{"LISTEN_FDNAMES=rpc"}, "Accept=no"},
		"fewer than announced": {[]func(*testing.T) *os.File{listener}, []string{"LISTEN_FDNAMES=rpc:rpc", "LISTEN_FDS=2"}, "descriptor 4"},
		"count is no number":   {[]func(*testing.T) *os.File{listener}, []string{"LISTEN_FDS=x"}, "LISTEN_FDS"},
		"count is negative":    {[]func(*testing.T) *os.File{listener}, []string{"LISTEN_FDS=-1"}, "LISTEN_FDS"},
		"count is huge":        {[]func(*testing.T) *os.File{listener}, []string{"LISTEN_FDS=1000000000000"}, "LISTEN_FDS"},
		"beyond what is permitted": {[]func(*testing.T) *os.File{func(t *testing.T) *os.File { return fileOf(t, tcpListener(t, "0.0.0.0:0")) }},
			[]string{"LISTEN_FDNAMES=rpc", "LISTEN_TEST_CHECK=1"}, "not for others"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var files []*os.File
			for _, f := range test.files {
				files = append(files, f(t))
			}
			lines := activated(t, files, test.env...)
			if len(lines) != 1 || !strings.HasPrefix(lines[0], "error: ") || !strings.Contains(lines[0], test.want) {
				t.Errorf("service says %q, want an error with %q", lines, test.want)
			}
		})
	}
}

// TestActivationOfAnother: variables meant for the parent, inherited by accident, are ignored.
func TestActivationOfAnother(t *testing.T) {
	tests := map[string][]string{
		"another pid": {"LISTEN_PID=1"},
		"no pid":      {"LISTEN_PID=x"},
		"none passed": {"LISTEN_FDS=0"},
	}
	for name, env := range tests {
		t.Run(name, func(t *testing.T) {
			lines := activated(t, []*os.File{fileOf(t, tcpListener(t, "127.0.0.1:0"))}, env...)
			if len(lines) != 2 || lines[0] != "listener: rpc false unix" {
				t.Errorf("service says %q, want its own socket", lines)
			}
		})
	}
}
