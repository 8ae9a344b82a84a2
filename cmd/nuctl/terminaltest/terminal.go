// SPDX-License-Identifier: GPL-2.0-or-later

// Package terminaltest runs programs on a terminal of their own, for tests of what people
// see and type. Only tests may import it.
package terminaltest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal (pty(7)).
type Terminal struct{ far, near *os.File }

// Open makes a terminal of a size.
func Open(lines, columns int) (*Terminal, error) {
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
	return &Terminal{far, near}, unix.IoctlSetWinsize(int(near.Fd()), unix.TIOCSWINSZ, size)
}

// patience is how long a text may take to come. Then the keys are typed all the same: what the
// terminal shows at the end is what a test has to report.
const patience = time.Minute

// Run runs a command on the terminal, once, to its end: what it reads comes from there, and what
// it writes goes there where the command says nothing else. When ready returns it types keys;
// what ready is given waits until the terminal shows a text. Run gives all that was shown,
// with plain line ends, and how the command ended.
func (t *Terminal) Run(cmd *exec.Cmd, ready func(shows func(text string)), keys string) (string, error) {
	defer t.far.Close()
	cmd.Stdin = t.near
	if cmd.Stdout == nil {
		cmd.Stdout = t.near
	}
	if cmd.Stderr == nil {
		cmd.Stderr = t.near
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	out := newScreen()
	var reading sync.WaitGroup
	reading.Go(func() {
		_, _ = io.Copy(out, t.far) // ends with EIO when nobody holds the near end
	})
	if keys != "" {
		ready(out.waitFor)
		if _, err := io.WriteString(t.far, keys); err != nil {
			return "", err
		}
	}
	err := cmd.Wait()
	t.near.Close()
	reading.Wait()
	return strings.ReplaceAll(out.text(), "\r\n", "\n"), err
}

// screen collects what is shown.
type screen struct {
	mu    sync.Mutex // guards shown
	grown *sync.Cond
	shown bytes.Buffer
}

func newScreen() *screen {
	s := &screen{}
	s.grown = sync.NewCond(&s.mu)
	return s
}

func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.grown.Broadcast()
	return s.shown.Write(text)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

func (s *screen) waitFor(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := false
	defer time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.grown.Broadcast()
	}).Stop()
	for !late && !bytes.Contains(s.shown.Bytes(), []byte(text)) {
		s.grown.Wait()
	}
}
