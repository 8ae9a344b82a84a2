// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// cmdScreen runs a command on a terminal of its own and puts what it writes there into the
// file screen:
//
//	screen CODE LINES COLUMNS METHOD N KEYS COMMAND...
//
// KEYS, with escapes as in Go, are typed when the server has got N calls of METHOD.
func cmdScreen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 7 {
		ts.Fatalf("usage: screen CODE LINES COLUMNS METHOD N KEYS COMMAND...")
	}
	var numbers [4]int
	for i, text := range []string{args[0], args[1], args[2], args[4]} {
		var err error
		numbers[i], err = strconv.Atoi(text)
		ts.Check(err)
	}
	keys, err := unescape(args[5])
	ts.Check(err)
	terminal, err := openTerminal(numbers[1], numbers[2])
	ts.Check(err)
	cmd := exec.Command("sh", append([]string{"-c", `exec "$0" "$@"`}, args[6:]...)...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "NUCTL_SERVER", "LC_ALL", "TERM", "PAGER", "NUCTL_PAGER", "NO_COLOR"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	server := serverOf(ts)
	out, err := terminal.run(cmd, func() { server.awaitCalls(args[3], numbers[3]) }, keys)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(out), 0o600))
	if got != numbers[0] {
		ts.Fatalf("exit code %d, want %d; on the screen:\n%q", got, numbers[0], out)
	}
}

// awaitCalls waits for so many calls of a method.
func (s *fakeServer) awaitCalls(method string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := func() (calls int) {
		for _, call := range s.log {
			if strings.HasPrefix(call, method+" ") {
				calls++
			}
		}
		return calls
	}
	for count() < n {
		s.changed.Wait()
	}
}

// terminal is a pseudo-terminal (pty(7)).
type terminal struct{ far, near *os.File }

func openTerminal(lines, columns int) (*terminal, error) {
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	fd := int(far.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	near, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	size := &unix.Winsize{Row: uint16(lines), Col: uint16(columns)}
	return &terminal{far, near}, unix.IoctlSetWinsize(int(near.Fd()), unix.TIOCSWINSZ, size)
}

// run runs a command on the terminal to its end, and types keys when ready returns.
func (t *terminal) run(cmd *exec.Cmd, ready func(), keys string) (string, error) {
	defer t.far.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.near, t.near, t.near
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	var out bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(&out, t.far) }) // ends with EIO when nobody holds the near end
	typed := make(chan struct{})
	if keys != "" {
		go func() {
			defer close(typed)
			ready()
			_, _ = io.WriteString(t.far, keys)
		}()
		<-typed
	}
	err := cmd.Wait()
	t.near.Close()
	reading.Wait()
	return strings.ReplaceAll(out.String(), "\r\n", "\n"), err
}
