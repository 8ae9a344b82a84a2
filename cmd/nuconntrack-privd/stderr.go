// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"nuconntrack/cmd/logging"
	"nuconntrack/privd/audit"

	"golang.org/x/sys/unix"
)

// Values of --audit.
const (
	auditAuto    = "auto"
	auditJournal = "journal"
	auditStderr  = "stderr"
)

// errorOutput is standard error for log and audit together, a line at a time. A reader
// that does not read makes it fail after the time that it may wait: Go sets no deadline
// on a file in blocking mode, as standard error is.
type errorOutput struct {
	*lines
	wait time.Duration
}

// lines is what an errorOutput shares with its hurried one.
type lines struct {
	mu   sync.Mutex // guards all
	w    io.Writer
	torn bool // the last line was cut short, as by a full disk
}

func newErrorOutput(w io.Writer) *errorOutput {
	return &errorOutput{&lines{w: w}, audit.WriteTime}
}

// hurried is the same for what may be lost, as the log may: a kill that already waited
// for the audit must not wait again to tell of it.
func (o *errorOutput) hurried() *errorOutput {
	return &errorOutput{lines: o.lines}
}

// Write writes b, a whole line, in one piece. It never goes on in a line that was cut short,
// where nobody who reads the audit would find it.
func (o *errorOutput) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f, ok := o.w.(*os.File); ok {
		if err := waitWritable(int32(f.Fd()), o.wait); err != nil {
			return 0, err
		}
	}
	line := b
	if o.torn {
		line = append([]byte{'\n'}, b...)
	}
	n, err := o.w.Write(line)
	if n > 0 {
		o.torn = n < len(line)
	}
	return max(n-(len(line)-len(b)), 0), err
}

// underJournal reports whether it goes to the journal.
func (o *errorOutput) underJournal() bool {
	return logging.UnderJournal(os.Getenv("JOURNAL_STREAM"), o.w)
}

// waitWritable waits until a pipe has room for PIPE_BUF bytes, which is what makes poll
// call it writable, and as much as a line has.
func waitWritable(fd int32, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	for {
		fds := []unix.PollFd{{Fd: fd, Events: unix.POLLOUT}}
		n, err := unix.Poll(fds, int(max(time.Until(deadline), 0).Milliseconds()))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return os.ErrDeadlineExceeded
		}
		return nil // an error of the file shows when it is written to
	}
}

// openAudit chooses where the audit goes: to the journal if that is where standard error
// goes, or if it was asked for.
func openAudit(where string, stderr *errorOutput, log *slog.Logger) (sink audit.Sink, done func(), err error) {
	if where == auditAuto {
		where = auditStderr
		if info, err := os.Stat(audit.JournalSocket); err == nil && info.Mode()&os.ModeSocket != 0 && stderr.underJournal() {
			where = auditJournal
		}
	}
	log.Info("audit", "to", where)
	if where == auditStderr {
		return audit.NewLines(stderr), func() {}, nil
	}
	journal, err := audit.OpenJournal(audit.JournalSocket)
	if err != nil {
		return nil, nil, err
	}
	return journal, func() { journal.Close() }, nil
}
