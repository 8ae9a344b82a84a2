// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
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

	"nuconntrack/cmd/privilege"
	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

const openPolicy = "[kill]\nallow = true\n[[protect]]\nname = \"ssh\"\nports = [22]\n"

var actor = ipc.Actor{RequestID: 0xfeed, User: "alice", Client: "203.0.113.9:1234"}

// connection makes one in this namespace and gives it with its id.
func connection(t *testing.T, port int) ipc.Target {
	t.Helper()
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", fmt.Sprintf("198.51.100.7:%d", port))
	nstest.Create(t, nstest.Connection{Target: target})
	for _, flow := range nstest.List(t) {
		if int(flow.TupleOrig.Proto.DestinationPort) == port {
			target.ID = flow.ID
			return target
		}
	}
	t.Fatal("the connection is not there")
	return target
}

func kill(t *testing.T, c *ipc.Client, target ipc.Target, want ipc.Outcome) {
	t.Helper()
	r, err := c.Kill(t.Context(), target, actor)
	if err != nil || r.Outcome != want {
		t.Errorf("outcome %s by rule %q, %v; want %s", r.Outcome, r.Rule, err, want)
	}
}

// entry reads a line of the audit.
func entry(t *testing.T, line string) map[string]string {
	t.Helper()
	var fields map[string]string
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	return fields
}

func TestServing(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		d := startDaemon(t, openPolicy, nil, "--peer-user", "0") // --user: only one is mapped
		d.line(t, "kept=[cap_net_admin]")
		d.line(t, "msg=serving")
		if info, err := os.Stat(d.socket); err != nil || info.Mode().Perm() != 0o660 {
			t.Errorf("mode %s, %v, want 0660", info.Mode(), err)
		}
		c := d.client(t)
		kill(t, c, connection(t, 443), ipc.Killed)
		for _, want := range []map[string]string{
			{"NUCT_PHASE": "intent", "NUCT_ACTION": "kill", "NUCT_OUTCOME": ""},
			{"NUCT_PHASE": "result", "NUCT_ACTION": "kill", "NUCT_OUTCOME": "killed"},
		} {
			want["NUCT_REQUEST_ID"], want["NUCT_CLAIMED_USER"] = "000000000000feed", "alice"
			want["NUCT_PEER_UID"], want["NUCT_PEER_PID"] = "0", fmt.Sprint(os.Getpid())
			want["NUCT_ORIG"] = "tcp src=192.0.2.1 dst=198.51.100.7 sport=40000 dport=443"
			got := entry(t, d.line(t, "NUCT_PHASE"))
			for key, value := range want {
				if got[key] != value {
					t.Errorf("%s is %q, want %q", key, got[key], value)
				}
			}
		}
		kill(t, c, connection(t, 22), ipc.Protected)
		if got := entry(t, d.line(t, `"result"`)); got["NUCT_RULE"] != "ssh" || got["NUCT_OUTCOME"] != "protected" {
			t.Errorf("audit of the refusal: %v", got)
		}
		d.stop(t, syscall.SIGTERM)
		if _, err := os.Stat(d.socket); !os.IsNotExist(err) {
			t.Errorf("the socket is left behind: %v", err)
		}
		if n := len(nstest.List(t)); n != 1 {
			t.Errorf("%d connections are left, want 1", n)
		}
	})
}

func TestReload(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		d := startDaemon(t, openPolicy, nil, "--peer-user", "0", "--user", "self")
		d.line(t, "msg=serving")
		c := d.client(t)
		for i, step := range []struct {
			policy, logged string
			want           ipc.Outcome
		}{
			{"[kill]\nallow = false\n", "policy reloaded", ipc.Forbidden},
			{"[kill]\nallow = maybe\n", "the old rules stay", ipc.Forbidden},
			{openPolicy, "policy reloaded", ipc.Killed},
			{"[kill\n", "the old rules stay", ipc.Killed},
			{"", "policy reloaded", ipc.Forbidden},
		} {
			writeFile(t, d.policyFile(), step.policy)
			if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			d.line(t, step.logged)
			kill(t, c, connection(t, 1000+i), step.want)
		}
		if err := os.Remove(d.policyFile()); err != nil {
			t.Fatal(err)
		}
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.line(t, "there is no policy file")
		d.line(t, "policy reloaded")
		d.stop(t, syscall.SIGTERM)
	})
}

// Without an audit nothing is done, and the helper stays.
func TestStandardErrorThatNobodyReads(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		target := connection(t, 443)
		t.Run("closed", func(t *testing.T) {
			d := startDaemon(t, openPolicy, nil, "--peer-user", "0", "--user", "self")
			d.line(t, "msg=serving")
			d.stderr.Close()
			c := d.client(t)
			kill(t, c, target, ipc.Unaudited)
			kill(t, c, target, ipc.Unaudited)
		})
		t.Run("full", func(t *testing.T) {
			d := startDaemon(t, openPolicy, nil, "--peer-user", "0", "--user", "self")
			d.line(t, "msg=serving")
			c := d.client(t)
			stranger := target
			stranger.ID++
			for range 10_000 {
				r, err := c.Kill(t.Context(), stranger, actor)
				if err != nil {
					t.Fatal(err)
				}
				if r.Outcome == ipc.Unaudited {
					break
				}
			}
			kill(t, c, target, ipc.Unaudited)
		})
		if n := len(nstest.List(t)); n != 1 {
			t.Errorf("%d connections are left, want 1", n)
		}
	})
}

// A socket and a place for notes as systemd passes them.
func TestSocketActivation(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		dir := folder(t)
		path, notes := filepath.Join(dir, "activated"), filepath.Join(dir, "notify")
		l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notes, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer manager.Close()
		passed, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		defer passed.Close()
		// Somebody waits on the socket already, as when systemd starts it for them, and stays until
		// he has been served: before that the helper is not idle, however slow the two are.
		c := ipc.NewClient(ipc.ClientConfig{Path: path, Timeout: patience, IdleTimeout: patience})
		target := connection(t, 443)
		var waiting sync.WaitGroup
		defer waiting.Wait()
		defer c.Close()
		waiting.Go(func() { kill(t, c, target, ipc.Killed) })
		d := startDaemon(t, openPolicy, func(cmd *exec.Cmd, d *daemon) {
			cmd.ExtraFiles = []*os.File{passed}
			cmd.Env = append(cmd.Env, "LISTEN_FDS=1", "NOTIFY_SOCKET="+notes)
		}, "--peer-user", "0", "--user", "self", "--idle-exit", "2s")
		note := func(want string) {
			t.Helper()
			if err := manager.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1024)
			n, err := manager.Read(b)
			if err != nil || !strings.Contains(string(b[:n]), want) {
				t.Errorf("told %q, %v, want %q", b[:n], err, want)
			}
		}
		note("READY=1")
		if _, err := os.Stat(d.socket); !os.IsNotExist(err) {
			t.Errorf("a socket was made beside the one that was passed: %v", err)
		}
		waiting.Wait()
		c.Close()
		note("STOPPING=1")
		d.wait(t, exitDone)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("systemd's socket is gone: %v", err)
		}
	})
}

func TestWrongSocketPassed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	passed, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer passed.Close()
	d := startDaemon(t, "", func(cmd *exec.Cmd, _ *daemon) {
		cmd.ExtraFiles = []*os.File{passed}
		cmd.Env = append(cmd.Env, "LISTEN_FDS=1")
	}, "--peer-user", "0", "--user", "self")
	d.line(t, "none of them is a Unix socket")
	d.wait(t, exitUsage)
}

// As on a machine without systemd: started as root, another user to become, a third to
// serve.
func TestStartedAsRoot(t *testing.T) {
	if os.Geteuid() != 0 || privilege.SingleUID() {
		t.Skip("needs root: it becomes another user and is asked by others")
	}
	user, peer := account(t, "daemon"), account(t, "games")
	d := startDaemon(t, openPolicy, func(cmd *exec.Cmd, d *daemon) {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
		d.socket = filepath.Join(d.folder, "made", "s")
		cmd.Args[4] = d.socket
	}, "--user", "daemon", "--peer-user", "games")
	d.line(t, "msg=serving")
	for path, want := range map[string]struct{ mode, uid, gid uint32 }{
		filepath.Dir(d.socket): {unix.S_IFDIR | 0o750, user.UID, peer.GID},
		d.socket:               {unix.S_IFSOCK | 0o660, 0, peer.GID},
	} {
		var stat unix.Stat_t
		if err := unix.Stat(path, &stat); err != nil {
			t.Fatal(err)
		}
		if stat.Mode != want.mode || stat.Uid != want.uid || stat.Gid != want.gid {
			t.Errorf("%s: mode %o of %d:%d, want %+v", path, stat.Mode, stat.Uid, stat.Gid, want)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	uid := fmt.Sprint(user.UID)
	for _, want := range []string{
		"\nUid:\t" + strings.Join([]string{uid, uid, uid, uid}, "\t"), "\nCapPrm:\t0000000000001000",
		"\nCapEff:\t0000000000001000", "\nCapBnd:\t0000000000000000", "\nNoNewPrivs:\t1",
	} {
		if !strings.Contains(string(status), want) {
			t.Errorf("its status lacks %q", want)
		}
	}
	// Even where the modes of socket and folder would let them.
	for path, mode := range map[string]os.FileMode{filepath.Dir(d.socket): 0o755, d.socket: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		as     privilege.Account
		served bool
	}{{peer, true}, {user, false}, {account(t, "root"), false}, {account(t, "nobody"), false}} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{dialVariable + "=" + d.socket}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.as.UID, Gid: c.as.GID}}
		if err := cmd.Run(); (err == nil) != c.served {
			t.Errorf("%s: %v, want served: %t", c.as.Name, err, c.served)
		}
	}
	d.stop(t, syscall.SIGTERM)
	if _, err := os.Stat(d.socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func account(t *testing.T, name string) privilege.Account {
	t.Helper()
	a, err := privilege.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
