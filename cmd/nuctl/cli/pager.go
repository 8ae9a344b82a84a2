// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/term"
)

// pager shows what is longer than the screen through the user's pager, and the rest as it
// is. It holds back no more than one screen.
type pager struct {
	screen  *os.File
	stderr  io.Writer
	command string
	env     []string
	lines   int // of the screen
	held    bytes.Buffer
	cmd     *exec.Cmd
	pipe    io.WriteCloser
}

// errQuit means that the reader left the pager before the end: it has seen enough.
var errQuit = errors.New("the pager was left")

// envPager comes before PAGER.
const envPager = "NUCTL_PAGER"

// openPager gives what to write a list to, nil where none is wanted: not at a terminal, with
// --no-pager, or with an empty pager or cat. As with git, NUCTL_PAGER comes before PAGER, and
// less is told to leave alone what fits the screen.
func (a *app) openPager(off bool) *pager {
	screen, ok := a.stdout.(*os.File)
	if off || !ok || !term.IsTerminal(int(screen.Fd())) || a.getenv("TERM") == "dumb" {
		return nil
	}
	_, lines, err := term.GetSize(int(screen.Fd()))
	if err != nil || lines < 2 {
		return nil
	}
	command := a.pagerCommand()
	if command == "" || command == "cat" {
		return nil
	}
	p := &pager{screen: screen, stderr: a.stderr, command: command, env: os.Environ(), lines: lines}
	if a.getenv("LESS") == "" {
		p.env = append(p.env, "LESS=FRSX")
	}
	return p
}

func (a *app) pagerCommand() string {
	if command := cmp.Or(a.getenv(envPager), a.getenv("PAGER")); command != "" {
		return command
	}
	if _, err := exec.LookPath("less"); err != nil {
		return ""
	}
	return "less"
}

// Write passes lists on to the pager once there is more than a screen of them.
func (p *pager) Write(text []byte) (int, error) {
	n := len(text)
	if p.cmd == nil {
		p.held.Write(text)
		// The prompt of the shell takes a line, too.
		if bytes.Count(p.held.Bytes(), []byte("\n")) < p.lines {
			return n, nil
		}
		if err := p.start(); err != nil {
			return 0, err
		}
		text = p.held.Bytes()
	}
	if _, err := p.pipe.Write(text); errors.Is(err, syscall.EPIPE) {
		return 0, errQuit
	} else if err != nil {
		return 0, fmt.Errorf("write to the pager: %w", err)
	}
	return n, nil
}

func (p *pager) start() error {
	p.cmd = exec.Command("/bin/sh", "-c", p.command)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = p.screen, p.stderr, p.env
	var err error
	if p.pipe, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start the pager: %w", err)
	}
	return nil
}

// Close shows what is held back, or waits until the reader leaves the pager. How the pager
// ends says nothing about the list.
func (p *pager) Close() error {
	if p.cmd == nil {
		_, err := p.screen.Write(p.held.Bytes())
		return err
	}
	if p.cmd.Process != nil {
		_ = p.pipe.Close()
		_ = p.cmd.Wait()
	}
	return nil
}
