// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/output"
)

// Exit codes, as all programs of the project have them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitDenied = 4
)

// usageError is a mistake in arguments or settings.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// advisedError is an error of this machine that says what to do next.
type advisedError struct {
	err  error
	next string
}

func (e *advisedError) Error() string { return e.err.Error() }
func (e *advisedError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// report says what went wrong and what to do next, and gives the exit code.
func report(stderr io.Writer, err error) int {
	var usage *usageError
	var call *client.Error
	var advised *advisedError
	// The commands of other packages have errors of their own; that of an ended process
	// has such a method too, hence the one code that is looked for.
	var coded interface{ ExitCode() int }
	var unsure *lostError
	if errors.As(err, &unsure) {
		defer say(stderr, unsure.text, "")
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errSerious):
		return exitFailed
	case errors.Is(err, syscall.EPIPE):
		// The reader, such as head, has seen enough.
		return exitFailed
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "nuctl: interrupted")
		return exitFailed
	case errors.As(err, &usage), errors.As(err, &coded) && coded.ExitCode() == exitUsage:
		say(stderr, err.Error(), "'nuctl --help' and 'nuctl COMMAND --help' say what can be written")
		return exitUsage
	case errors.As(err, &call):
		text, next, code := explain(call)
		say(stderr, text, next)
		return code
	case errors.As(err, &advised):
		say(stderr, err.Error(), advised.next)
		return exitFailed
	}
	say(stderr, err.Error(), "")
	return exitFailed
}

// say prints an error, and below it what to do next. The texts may be the network's.
func say(stderr io.Writer, text, next string) {
	fmt.Fprintln(stderr, "nuctl: "+strings.ReplaceAll(output.CleanLines(text), "\n", "\n       "))
	if next != "" {
		fmt.Fprintln(stderr, "       "+output.Clean(next))
	}
}
