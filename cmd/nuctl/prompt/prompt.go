// SPDX-License-Identifier: GPL-2.0-or-later

// Package prompt asks the person at the terminal: for a line, for a secret without echo,
// for yes or no.
//
// It talks to the terminal itself, so that redirected output neither hides a question nor
// collects it, and only where standard input is that terminal: a script is never kept
// waiting by a question that nobody sees. It must leave the terminal's settings as they
// were, also when it is interrupted.
package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// maxLine is the length of an answer, in bytes.
const maxLine = 4096

// ErrNone means that there is nobody to ask.
var ErrNone = errors.New("standard input is not a terminal")

// Terminal is where questions go. Not safe for concurrent use.
type Terminal struct {
	tty *os.File
}

// Open finds the terminal behind standard input. The error is ErrNone if that is none.
func Open(stdin io.Reader) (*Terminal, error) {
	file, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, ErrNone
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNone
	}
	return &Terminal{tty: tty}, nil
}

// Close gives the terminal up.
func (t *Terminal) Close() error { return t.tty.Close() }

// Line asks for a line and returns it without its end.
func (t *Terminal) Line(ctx context.Context, question string) (string, error) {
	return t.ask(ctx, question, true)
}

// Secret asks for a line that is not shown while it is typed.
func (t *Terminal) Secret(ctx context.Context, question string) (string, error) {
	secret, err := t.ask(ctx, question, false)
	// The end of line was not shown either.
	fmt.Fprintln(t.tty)
	return secret, err
}

// Confirm asks a question; only y and yes, in any case, are a yes.
func (t *Terminal) Confirm(ctx context.Context, question string) (bool, error) {
	answer, err := t.Line(ctx, question+" [y/N] ")
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", err
}

// hide lets the terminal show nothing of what is typed, before there is a question that
// quick fingers answer.
func hide(fd int) error {
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	settings.Lflag &^= unix.ECHO
	settings.Lflag |= unix.ICANON | unix.ISIG
	settings.Iflag |= unix.ICRNL
	return unix.IoctlSetTermios(fd, unix.TCSETS, settings)
}

// ask shows a question and waits for a line or the end of ctx. In the latter case the reading
// stays behind in its goroutine, which changes no settings: nothing wakes a read of a terminal, and the process is about to
// end.
func (t *Terminal) ask(ctx context.Context, question string, echo bool) (string, error) {
	fd := int(t.tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read terminal settings: %w", err)
	}
	defer func() { _ = term.Restore(fd, before) }()
	if !echo {
		if err := hide(fd); err != nil {
			return "", fmt.Errorf("change terminal settings: %w", err)
		}
	}
	if _, err := io.WriteString(t.tty, question); err != nil {
		return "", fmt.Errorf("write to terminal: %w", err)
	}
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := readLine(t.tty)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return "", fmt.Errorf("read from terminal: %w", a.err)
		}
		return a.text, nil
	case <-ctx.Done():
		fmt.Fprintln(t.tty)
		return "", ctx.Err()
	}
}

// readLine reads a line byte by byte: what follows is the answer to the next question.
func readLine(r io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := r.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return strings.TrimSuffix(string(line), "\r"), nil
		case n == 1 && len(line) == maxLine:
			return "", fmt.Errorf("line is longer than %d bytes", maxLine)
		case n == 1:
			line = append(line, one[0])
		case err != nil && len(line) > 0 && errors.Is(err, io.EOF):
			return string(line), nil
		case err != nil:
			return "", err
		}
	}
}
