// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"encoding/json"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// nuctl runs it against the daemons, by their Unix socket.
func (w *world) nuctl(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return command(t, "", daemontest.Nuctl, append([]string{"--server", "unix:" + w.Path("frontd.sock")}, args...)...)
}

func wantRun(t testing.TB, code, want int, stdout, stderr string, says ...string) {
	t.Helper()
	for _, text := range says {
		if !strings.Contains(stdout+stderr, text) {
			t.Errorf("does not say %q", text)
		}
	}
	if code != want || t.Failed() {
		t.Errorf("exit code %d, want %d\nstandard output:\n%s\nstandard error:\n%s", code, want, stdout, stderr)
	}
}

// TestNuctlSaysWhetherItCameBack kills a TCP connection that talks on. With tcp_loose its
// next packet makes it anew; nuctl must say so, and without must not.
func TestNuctlSaysWhetherItCameBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		loose, watch, says string // what is back ends the watch
		code, left         int
	}{
		{"1", "5", "came back within 5 s: tcp 127.0.0.1:", 1, 1},
		{"0", "2", "killed: tcp 127.0.0.1:", 0, 0},
	} {
		t.Run("nf_conntrack_tcp_loose="+test.loose, func(t *testing.T) {
			nstest.Run(t, func(t *testing.T) {
				nstest.Sysctl(t, "nf_conntrack_tcp_loose", test.loose)
				track(t)
				w := newWorld(t, everything)
				serveTCP(t, "127.0.0.1:5001")
				talk(t, "127.0.0.1:5001")

				code, out, errs := w.nuctl(t, "kill", "--dry-run", "--matching", "tcp and port 5001")
				wantRun(t, code, 0, out, errs, "127.0.0.1:5001", "1 connection would be killed")
				code, out, errs = w.nuctl(t, "kill", "--yes", "--watch-seconds", test.watch, "--matching", "tcp and port 5001")
				wantRun(t, code, test.code, out, errs, test.says, ":5001")
				if left := kernelTable(t); len(left) != test.left {
					t.Errorf("left: %v", left)
				}
			})
		})
	}
}

// TestNuctlKillsByName: an id and a key each end one connection and no other, and what is
// told of them is true.
func TestNuctlKillsByName(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		for _, src := range []string{"10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3", "192.0.2.1:22"} {
			nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, src, "198.51.100.1:22")})
		}
		w := newWorld(t, wholePolicy)
		code, out, errs := w.nuctl(t, "list", "-s", "10.0.0.0/8", "--sort", "orig_src", "-j")
		wantRun(t, code, 0, out, errs)
		var rows []struct {
			ID  json.Number
			Key string
		}
		if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 3 {
			t.Fatalf("%v, %d rows in %s", err, len(rows), out)
		}
		code, out, errs = w.nuctl(t, "kill", rows[0].ID.String())
		wantRun(t, code, 0, out, errs, "killed: tcp 10.0.0.1:1 to 198.51.100.1:22 (id "+rows[0].ID.String()+")", "1 connection killed")
		code, out, errs = w.nuctl(t, "kill", rows[1].Key)
		wantRun(t, code, 0, out, errs, "killed: tcp 10.0.0.2:2 to 198.51.100.1:22")
		code, out, errs = w.nuctl(t, "kill", rows[1].Key)
		wantRun(t, code, 1, out, errs, "already gone: tcp 10.0.0.2:2", "the connection was not killed")
		code, out, errs = w.nuctl(t, "kill", "4711")
		wantRun(t, code, 1, out, errs, "no such connection: id 4711", "nuctl list")
		code, out, errs = w.nuctl(t, "kill", "--yes", "--matching", "dport 22")
		wantRun(t, code, 1, out, errs, "killed: tcp 10.0.0.3:3", "protected: tcp 192.0.2.1:22", "management", "1 of 2 connections not killed")
		if left := kernelTable(t); len(left) != 1 {
			t.Errorf("left: %v", left)
		}
	})
}

// TestNuctlSparesItsOwnConnection: it hears what became of what it asked for.
func TestNuctlSparesItsOwnConnection(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		track(t)
		newWorld(t, everything)
		server := "http://" + relay(t, rpcAddress)
		run := func(args ...string) (int, string, string) {
			daemontest.WaitFor(t, "the connections of the run before have ended", func() bool { return established(t, 8580) == 0 })
			return command(t, "", daemontest.Nuctl, append([]string{"--server", server}, args...)...)
		}
		code, out, errs := run("kill", "--yes", "--matching", "tcp and state established and dport 8580")
		wantRun(t, code, 1, out, errs, "forbidden: tcp 127.0.0.1:", "--force")
		code, out, errs = run("kill", "--yes", "--force", "--watch-seconds", "0", "--matching", "tcp and state established and dport 8580")
		wantRun(t, code, 0, out, errs, "killed: tcp 127.0.0.1:")
		// Its next sign of life is the packet that brings it back, and that is told unless nobody looks.
		code, out, errs = run("kill", "--yes", "--force", "--matching", "tcp and state established and dport 8580")
		wantRun(t, code, 1, out, errs, "came back within 2 s: tcp 127.0.0.1:", "nuctl doctor")
	})
}

// relay passes on what nuctl and a server say to each other, by connections that the kernel keeps
// alive with a packet each second: nuctl itself may be silent for as long as it waits.
func relay(t *testing.T, server string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	pass := func(c net.Conn) {
		defer c.Close()
		s, err := lively.Dial("tcp", server)
		if err != nil {
			return // nuctl tells of it
		}
		defer s.Close()
		go func() {
			io.Copy(c, s)
			c.Close() // what is being read of it below ends too
		}()
		io.Copy(s, c)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pass(c)
		}
	}()
	return l.Addr().String()
}

// established counts the established TCP connections to a port.
func established(t testing.TB, port uint16) (n int) {
	t.Helper()
	for _, f := range nstest.List(t) {
		if tcp := f.ProtoInfo.TCP; tcp != nil && tcpStates[tcp.State] == "ESTABLISHED" && f.TupleOrig.Proto.DestinationPort == port {
			n++
		}
	}
	return n
}

// TestNuctlChanges prints what the kernel holds afterwards.
func TestNuctlChanges(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_UDP, "10.0.0.1:1", "198.51.100.1:53"), Mark: 0xf0})
		w := newWorld(t, everything)
		code, out, errs := w.nuctl(t, "list", "--fields", "id", "-H")
		wantRun(t, code, 0, out, errs)
		id := strings.TrimSpace(out)
		code, out, errs = w.nuctl(t, "change", "mark", id, "0x01/0x0f")
		wantRun(t, code, 0, out, errs, "mark is 0xf1 now, was 0xf0: udp 10.0.0.1:1 to 198.51.100.1:53")
		code, out, errs = w.nuctl(t, "change", "timeout", id, "5000")
		wantRun(t, code, 2, out, errs, "cannot be undone", "--yes")
		code, out, errs = w.nuctl(t, "change", "timeout", "--yes", id, "5000")
		wantRun(t, code, 0, out, errs)
		if !regexp.MustCompile(`^timeout is 1h23m! now, was (10m00s|[0-9]m..s): udp`).MatchString(out) {
			t.Errorf("says %q", out)
		}
		code, out, errs = w.nuctl(t, "change", "timeout", "--yes", id, "6000")
		wantRun(t, code, 1, out, errs, "fixed already", "let the connection end, or kill it")
		for _, e := range kernelTable(t) {
			if e.mark != 0xf1 {
				t.Errorf("mark is %#x", e.mark)
			}
		}
	})
}
