// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// disk is a file on a disk with so many bytes left.
type disk struct {
	bytes.Buffer
	room int
}

func (d *disk) Write(b []byte) (int, error) {
	n := min(len(b), d.room)
	d.room -= n
	d.Buffer.Write(b[:n])
	if n < len(b) {
		return n, unix.ENOSPC
	}
	return n, nil
}

// TestTornLine: what is written after a full disk has room again stands on a line of its own,
// whichever of log and audit was cut short.
func TestTornLine(t *testing.T) {
	d := &disk{room: 10}
	out := newErrorOutput(d)
	steps := []struct {
		to   io.Writer
		line string
		n    int
		ok   bool
	}{
		{out, "first\n", 6, true},
		{out, "second\n", 4, false},
		{out.hurried(), "third\n", 0, false},
	}
	for _, s := range steps {
		if n, err := io.WriteString(s.to, s.line); n != s.n || (err == nil) != s.ok {
			t.Errorf("%q: %d bytes, %v", s.line, n, err)
		}
	}
	d.room = 1
	if n, err := io.WriteString(out, "fourth\n"); n != 0 || err == nil {
		t.Errorf("fourth: %d bytes, %v", n, err)
	}
	d.room = 100
	for _, to := range []io.Writer{out.hurried(), out} {
		if n, err := io.WriteString(to, "last\n"); n != 5 || err != nil {
			t.Errorf("last: %d bytes, %v", n, err)
		}
	}
	if got, want := d.String(), "first\nseco\n\nlast\nlast\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
