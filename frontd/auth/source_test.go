// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestFileIsKept shows that a file is read at each login at first, and kept when its last change
// is so long ago that the next one must show in its times. The clock of the bubble starts
// in the year 2000 and is moved beyond that of the file system.
func TestFileIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, contents, 0o640)
		load := func() *users {
			t.Helper()
			u, err := b.source.load()
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		info, err := os.Stat(b.path)
		if err != nil {
			t.Fatal(err)
		}
		if first := load(); first == load() {
			t.Error("trusted, though the clock says that it changes in the future")
		}
		// The change of its mode is the last one, whenever the machine came to it.
		changed := info.Sys().(*syscall.Stat_t).Ctim
		time.Sleep(time.Until(time.Unix(changed.Unix())) + settled/2)
		if first := load(); first == load() {
			t.Error("trusted, though it has just changed")
		}
		time.Sleep(settled)
		kept := load()
		if load() != kept {
			t.Error("read again, though it has not changed")
		}
		if err := os.Chmod(b.path, 0o600); err != nil {
			t.Fatal(err)
		}
		if load() == kept {
			t.Error("not read again after a change of its mode")
		}
	})
}

// TestSlowReadingSettlesNothing: a file that had just changed when it was looked at may change again
// within the same tick of its clock, however long reading it then takes.
func TestSlowReadingSettlesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, contents, 0o640)
		info, err := os.Stat(b.path)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix())))
		b.source.log = slog.New(slog.NewTextHandler(sleepy(2*settled), nil)) // the file has bad lines to tell of
		if first, err := b.source.load(); err != nil || b.source.users == first {
			t.Errorf("trusted, though it had just changed: %v", err)
		}
	})
}

// sleepy takes its time to write.
type sleepy time.Duration

func (s sleepy) Write(b []byte) (int, error) {
	time.Sleep(time.Duration(s))
	return len(b), nil
}

func TestFileIsReported(t *testing.T) {
	b := newBackend(t, contents, 0o644)
	for range 3 {
		if err := b.Check(); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"can be read by others", `line=7 reason="no colon"`, `line=4 reason="user \"cid\" cannot log in`,
		"SHA-1", `line=5 reason="user \"dan\" cannot log in`,
	} {
		if n := strings.Count(b.log.String(), want); n != 1 {
			t.Errorf("%q is in the log %d times, want once:\n%s", want, n, b.log)
		}
	}
	b.log.Reset()
	b.write(t, strings.Repeat("no colon\n", 1000), 0o640)
	if err := b.Check(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.log.String(), "\n"); n != maxProblems+1 || !strings.Contains(b.log.String(), "more=980") {
		t.Errorf("%d lines of log for 1000 bad lines:\n%s", n, b.log)
	}
}
