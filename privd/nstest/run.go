// SPDX-License-Identifier: GPL-2.0-or-later

// Package nstest runs a test against the real kernel, in a user and a network namespace
// of its own, so that it needs no root and touches no real firewall. It also makes and
// lists connections there, independently of the code under test: the messages it builds
// create connections, which the program itself must never be able to do. Only tests may
// import it. It needs no binary but the test's own.
package nstest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// insideVariable holds, in the process inside, the name of the test it runs.
	insideVariable = "NUCONNTRACK_NSTEST"
	// reportFD is where the process inside says how the test ended.
	reportFD = 3
	// reserve is left of the test's time to report what went wrong.
	reserve = 2 * time.Second
	// reportTime is for a report that a process which was left behind may keep open.
	reportTime = 30 * time.Second
)

// Run runs body in a new user namespace, where it is root, and a new network namespace
// with its loopback interface up. For that it starts the test's binary again, with
// this one test: what the test does before Run is done in both processes, body in the
// new one alone. A test calls it once, before it does anything else.
func Run(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	if inside := os.Getenv(insideVariable); inside != "" {
		if inside == t.Name() {
			reportEnd(t)
			raiseLoopback(t)
		}
		body(t)
		return
	}
	report, output, err := start(t)
	switch {
	case err != nil || report == "fail":
		t.Fatalf("in a namespace of its own: %v\n%s", err, output)
	case report == "skip":
		t.Skipf("in a namespace of its own:\n%s", output)
	case report != "pass":
		t.Fatalf("the test did not run in a namespace of its own\n%s", output)
	case testing.Verbose():
		t.Logf("in a namespace of its own:\n%s", output)
	}
}

// start runs the test's binary inside and gives the test's end and output.
func start(t *testing.T) (report string, output []byte, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	// Pdeathsig means the death of the thread that started the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	var namespaces uintptr = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
	report, output, err = startIn(t, self, namespaces)
	if forbidden(err) && os.Geteuid() == 0 {
		return startIn(t, self, syscall.CLONE_NEWNET)
	}
	if forbidden(err) {
		err = fmt.Errorf("this machine lets ordinary users have no user namespaces, run the tests as root: %w", err)
	}
	return report, output, err
}

func startIn(t *testing.T, self string, namespaces uintptr) (report string, output []byte, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	defer r.Close()
	var out bytes.Buffer
	cmd := exec.Command(self, arguments(t)...)
	cmd.Env = append(os.Environ(), insideVariable+"="+t.Name())
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &out, &out, []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	if namespaces&syscall.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return "", nil, err
	}
	// First Wait: a process that the test left behind may hold the pipe open.
	err = cmd.Wait()
	if e := r.SetReadDeadline(time.Now().Add(reportTime)); e != nil && err == nil {
		err = e
	}
	b := make([]byte, len("pass"))
	n, _ := io.ReadFull(r, b)
	return string(b[:n]), out.Bytes(), err
}

func forbidden(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EACCES)
}

// arguments run this one test, in what is left of its time.
func arguments(t *testing.T) []string {
	var pattern []string
	for _, name := range strings.Split(t.Name(), "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(name)+"$")
	}
	args := []string{"-test.run=" + strings.Join(pattern, "/"), "-test.count=1",
		fmt.Sprintf("-test.v=%t", testing.Verbose()), fmt.Sprintf("-test.short=%t", testing.Short())}
	if deadline, ok := t.Deadline(); ok {
		left := max(time.Until(deadline)-reserve, time.Second)
		args = append(args, "-test.timeout="+left.String())
	}
	return args
}

// reportEnd tells the process outside how the test ended: an exit code of 0 also comes
// from a skipped test, and from one that no pattern matched.
func reportEnd(t *testing.T) {
	syscall.CloseOnExec(reportFD)
	w := os.NewFile(reportFD, "report")
	t.Cleanup(func() {
		defer w.Close()
		end := "pass"
		switch {
		case t.Failed():
			end = "fail"
		case t.Skipped():
			end = "skip"
		}
		if _, err := io.WriteString(w, end); err != nil {
			t.Errorf("report the test's end: %v", err)
		}
	})
}

// raiseLoopback is `ip link set lo up`.
func raiseLoopback(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open socket: %v", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo)
	}
	if err == nil {
		lo.SetUint16(lo.Uint16() | unix.IFF_UP)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	if err != nil {
		t.Fatalf("raise loopback interface (does this machine restrict user namespaces?): %v", err)
	}
}
