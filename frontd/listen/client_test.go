// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// accepted returns what a Gate accepts from a client that dials l.
func accepted(t *testing.T, g *Gate, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	server, err := g.Bind(l).Accept()
	must(t, err)
	t.Cleanup(func() { server.Close() })
	return server
}

func TestClient(t *testing.T) {
	self := fmt.Sprintf("unix:uid=%d,pid=%d", os.Getuid(), os.Getpid())
	tests := map[string]struct {
		network, addr string
		text          string
		unix          bool
	}{
		"IPv4":      {"tcp4", "127.0.0.1:0", "127.0.0.1", false},
		"IPv6":      {"tcp6", "[::1]:0", "::1", false},
		"dual":      {"tcp", "[::]:0", "::1", false},
		"Unix":      {"unix", filepath.Join(t.TempDir(), "s"), self, true},
		"IPv4-in-6": {"tcp", "[::]:0", "127.0.0.1", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen(test.network, test.addr)
			must(t, err)
			defer l.Close()
			to := l.Addr()
			if a, ok := to.(*net.TCPAddr); ok && a.IP.IsUnspecified() {
				to = &net.TCPAddr{IP: net.ParseIP(test.text), Port: a.Port}
			}
			dialled, err := net.Dial(to.Network(), to.String())
			must(t, err)
			defer dialled.Close()
			conn, err := NewGate(GateConfig{}).Bind(l).Accept()
			must(t, err)
			defer conn.Close()
			for what, c := range map[string]net.Conn{"accepted": conn, "with TLS": tls.Server(conn, &tls.Config{})} {
				ctx := ConnContext(context.Background(), c)
				client, ok := From(ctx)
				if !ok || client.String() != test.text || client.Unix != test.unix || !client.Local || client != ClientOf(c) {
					t.Errorf("%s: %+v (%s), want %s", what, client, client, test.text)
				}
				if client.Addr.IsValid() == test.unix || client.PeerKnown != test.unix {
					t.Errorf("%s: %+v", what, client)
				}
			}
		})
	}
	if _, ok := From(context.Background()); ok {
		t.Error("a client out of nowhere")
	}
	if s := (Client{}).String(); s != "unknown" {
		t.Errorf("nobody is called %q", s)
	}
}

// TestPeersCountByUser connects as another user, which needs root.
func TestPeersCountByUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("becoming another user needs root")
	}
	const other = 4711
	folder, err := os.MkdirTemp("", "listen")
	must(t, err)
	defer os.RemoveAll(folder)
	must(t, os.Chmod(folder, 0o755))
	path := filepath.Join(folder, "s")
	l, err := net.Listen("unix", path)
	must(t, err)
	defer l.Close()
	must(t, os.Chmod(path, 0o666))

	g := NewGate(GateConfig{PerAddress: 1})
	mine := accepted(t, g, l)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{stage + "=client", "LISTEN_TEST_DIAL=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other + 1}}
	in, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() {
		in.Close()
		_ = cmd.Wait()
	}()
	theirs, err := g.Bind(l).Accept()
	must(t, err)
	defer theirs.Close()
	want := Peer{UID: other, GID: other + 1, PID: int32(cmd.Process.Pid)}
	if c := ClientOf(theirs); !c.PeerKnown || c.Peer != want || !strings.HasPrefix(c.String(), "unix:uid=4711,pid=") {
		t.Errorf("peer %+v, want %+v", c.Peer, want)
	}
	if c := g.Counts(); c.Open != 2 || c.Evicted != 0 {
		t.Fatalf("users push out each other: %+v", c)
	}
	again := accepted(t, g, l)
	if c := g.Counts(); c.Open != 2 || c.Evicted != 1 {
		t.Errorf("the same user again: %+v", c)
	}
	if _, err := mine.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read from my first connection: %v", err)
	}
	must(t, again.Close())
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.users) != 1 {
		t.Errorf("%d users remembered", len(g.users))
	}
}

// dialAndHold is what a client of another user does.
func dialAndHold() int {
	c, err := net.Dial("unix", os.Getenv("LISTEN_TEST_DIAL"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer c.Close()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// TestCloseWrite: an answer to a client that sends more than is read must reach it.
func TestCloseWrite(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	must(t, err)
	defer c.Close()
	server, err := NewGate(GateConfig{}).Bind(l).Accept()
	must(t, err)
	defer server.Close()
	half, ok := server.(interface{ CloseWrite() error })
	if !ok {
		t.Fatal("http.Server will find no CloseWrite")
	}
	must(t, half.CloseWrite())
	must(t, c.SetDeadline(time.Now().Add(patience)))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read: %v, want the end", err)
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Errorf("write: %v", err)
	}
	if n, err := server.Read(make([]byte, 1)); n != 1 {
		t.Errorf("read after CloseWrite: %v", err)
	}
}
