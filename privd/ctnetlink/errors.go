// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var (
	// ErrNotFound says that no connection has these tuples and zones or, from Delete,
	// that the one that has them has another id. Test for it with errors.Is.
	ErrNotFound = errors.New("no such connection")

	// ErrRefused says that a message was not built, and nothing was sent. Test for it
	// with errors.Is.
	ErrRefused = errors.New("refused to build message")

	// errMalformed says that the kernel's answer is not understood.
	errMalformed = errors.New("malformed answer of the kernel")
)

// An Error is the kernel's refusal. An error that is neither an *Error nor ErrRefused
// leaves open whether the kernel did what was asked.
type Error struct {
	Op    string // what was asked
	Errno unix.Errno
}

func (e *Error) Error() string { return "conntrack " + e.Op + ": " + e.Errno.Error() }

// Is makes ENOENT an ErrNotFound.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.Errno == unix.ENOENT
}

// Unwrap gives the kernel's number.
func (e *Error) Unwrap() error { return e.Errno }

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errMalformed, fmt.Sprintf(format, args...))
}
