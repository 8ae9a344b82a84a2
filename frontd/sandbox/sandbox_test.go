// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childVariable makes the test binary the victim: what is restricted stays so.
const childVariable = "NUCONNTRACK_SANDBOX_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(victim(dir))
	}
	os.Exit(m.Run())
}

// victim restricts itself and tries what it may and what it must not do.
func victim(dir string) int {
	path := func(name string) string { return filepath.Join(dir, name) }
	// Of TCP proper: multipath TCP, Go's default for listeners, Landlock does not know.
	var plain net.ListenConfig
	plain.SetMultipathTCP(false)
	served, err := plain.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer served.Close() // here and below: what nobody needs any more the collector may close
	accepted, err := acceptOne(served)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer accepted.Close()
	directory, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer directory.Close()
	helper, err := net.Listen("unix", path("helper/s"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer helper.Close()
	var log bytes.Buffer
	if err := Restrict(Config{
		Read:    []string{path("etc/passwd")},
		Remove:  []string{path("run/own.sock")},
		Connect: []uint16{directory.Addr().(*net.TCPAddr).AddrPort().Port()},
		Log:     slog.New(slog.NewTextHandler(&log, nil)),
	}); err != nil {
		fmt.Println(err)
		return 1
	}
	code := 0
	expect := func(what string, err error, allowed bool) {
		denied := errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM)
		if allowed && err != nil || !allowed && !denied {
			fmt.Printf("%s: %v, allowed should be %t\n", what, err, allowed)
			code = 1
		}
	}
	read := func(p string) error { _, err := os.ReadFile(p); return err }
	expect("read the password file", read(path("etc/passwd")), true)
	expect("read one in its place", read(path("etc/new")), true)
	expect("write the password file", os.WriteFile(path("etc/passwd"), []byte("x"), 0o600), false)
	expect("make a file beside it", os.WriteFile(path("etc/x"), nil, 0o600), false)
	expect("remove the password file", os.Remove(path("etc/passwd")), false)
	expect("read another folder", read(path("other/secret")), false)
	expect("read the system's files", read("/etc/passwd"), false)
	expect("list the root folder", func() error { _, err := os.ReadDir("/"); return err }(), false)
	expect("execute", exec.Command("/bin/true").Run(), false)
	expect("remove its socket", os.Remove(path("run/own.sock")), true)
	expect("make a file in the socket's folder", os.WriteFile(path("run/x"), nil, 0o600), false)
	expect("connect to the helper", dial("unix", helper.Addr().String()), true)
	expect("connect to the directory", dial("tcp", directory.Addr().String()), true)
	expect("connect to its own listener by TCP", dial("tcp", served.Addr().String()), false)
	expect("listen on another port", func() error { _, err := plain.Listen(context.Background(), "tcp", "127.0.0.1:0"); return err }(), false)
	// It would come from the network namespace of the listener, which may be the host's.
	expect("turn an accepted connection around", turn(accepted, served.Addr().(*net.TCPAddr)), false)
	expect("signal its parent", syscall.Kill(os.Getppid(), 0), false)
	if code != 0 {
		fmt.Println(log.String())
	}
	return code
}

// acceptOne gives the server's end of a connection.
func acceptOne(l net.Listener) (*net.TCPConn, error) {
	if _, err := net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, err
	}
	c, err := l.Accept()
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// turn dissolves the association of a connection, as connect(2) describes, and connects it
// anew.
func turn(c *net.TCPConn, to *net.TCPAddr) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var dissolved, connected error
	err = raw.Control(func(fd uintptr) {
		unspecified := unix.RawSockaddrAny{Addr: unix.RawSockaddr{Family: unix.AF_UNSPEC}}
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&unspecified)), unix.SizeofSockaddrInet4)
		if errno != 0 {
			dissolved = errno
			return
		}
		connected = unix.Connect(int(fd), &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())})
	})
	if err == nil && dissolved != nil {
		err = fmt.Errorf("dissolve: %v", dissolved) // not what is to be refused
	}
	return errors.Join(err, connected)
}

func dial(network, address string) error {
	c, err := net.Dial(network, address)
	if err == nil {
		c.Close()
	}
	return err
}

func TestRestrict(t *testing.T) {
	dir, err := os.MkdirTemp("", "nuct") // short enough for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, text := range map[string]string{"etc/passwd": "a", "etc/new": "b", "other/secret": "c", "run/own.sock": "", "helper/x": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFoldersRefuses(t *testing.T) {
	if _, err := folders([]string{filepath.Join(t.TempDir(), "none", "x")}); err == nil {
		t.Error("a folder that is not there was accepted")
	}
	if _, err := folders([]string{"/passwd"}); err == nil || !strings.Contains(err.Error(), "whole file system") {
		t.Errorf("the root folder: %v", err)
	}
}
