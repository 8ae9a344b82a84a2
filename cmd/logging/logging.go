// SPDX-License-Identifier: GPL-2.0-or-later

package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Format is how lines look.
type Format string

// The formats.
const (
	Text Format = "text" // key=value, as of slog.TextHandler
	JSON Format = "json" // an object a line, as of slog.JSONHandler
)

// Formats are all formats.
func Formats() []string { return []string{string(Text), string(JSON)} }

// Levels are the names of all levels that ParseLevel takes.
func Levels() []string { return []string{"debug", "info", "warn", "error"} }

// ParseLevel reads a level by its name.
func ParseLevel(name string) (slog.Level, error) {
	for i, known := range Levels() {
		if name == known {
			return [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}[i], nil
		}
	}
	return 0, fmt.Errorf("level %q is none of debug, info, warn, error", name)
}

// Config configures New.
type Config struct {
	Out    io.Writer    // gets each line in one call, one at a time
	Format Format       // "" is Text
	Level  slog.Leveler // may change while the log is used; nil is slog.LevelInfo
	// Journal says that Out goes to the journal: lines begin with their priority, as sd-daemon(3)
	// has it, and have no time and no level of their own.
	Journal bool
}

// New returns a log. flush writes what is still to be said of lines that were left out, for the end.
func New(cfg Config) (log *slog.Logger, flush func()) {
	if cfg.Level == nil {
		cfg.Level = slog.LevelInfo
	}
	out := &lines{w: cfg.Out}
	var h slog.Handler
	if cfg.Journal {
		h = newJournal(cfg, out)
	} else {
		h = newHandler(cfg, out)
	}
	l := newLimiter(h)
	return slog.New(limited{h, l}), l.flush
}

func newHandler(cfg Config, out io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: cfg.Level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if cfg.Journal && len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		return bounded(a)
	}}
	if cfg.Format == JSON {
		return slog.NewJSONHandler(out, options)
	}
	return slog.NewTextHandler(out, options)
}

// UnderJournal reports whether out goes to the journal, by what systemd says in the variable
// JOURNAL_STREAM, see systemd.exec(5): device and inode of that stream. The variable alone proves
// nothing, children inherit it.
func UnderJournal(journalStream string, out io.Writer) bool {
	f, ok := out.(*os.File)
	var stat unix.Stat_t
	if !ok || journalStream == "" || unix.Fstat(int(f.Fd()), &stat) != nil {
		return false
	}
	return journalStream == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// lines passes on one line at a time.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// Priorities of syslog(3).
const (
	priorityError   = 3
	priorityWarning = 4
	priorityInfo    = 6
	priorityDebug   = 7
)

// journal has a handler for each priority, whose lines begin with it.
type journal struct {
	level slog.Leveler
	of    [priorityDebug + 1]slog.Handler // nil where there is no such level
}

func newJournal(cfg Config, out io.Writer) *journal {
	j := &journal{level: cfg.Level}
	for _, p := range []int{priorityError, priorityWarning, priorityInfo, priorityDebug} {
		j.of[p] = newHandler(cfg, prefixed{out, fmt.Appendf(nil, "<%d>", p)})
	}
	return j
}

// prefixed writes something before each line.
type prefixed struct {
	out    io.Writer
	prefix []byte
}

func (p prefixed) Write(line []byte) (int, error) {
	n, err := p.out.Write(append(p.prefix[:len(p.prefix):len(p.prefix)], line...))
	return max(n-len(p.prefix), 0), err
}

func priorityOf(level slog.Level) int {
	switch {
	case level >= slog.LevelError:
		return priorityError
	case level >= slog.LevelWarn:
		return priorityWarning
	case level >= slog.LevelInfo:
		return priorityInfo
	}
	return priorityDebug
}

// Enabled is slog.Handler's.
func (j *journal) Enabled(_ context.Context, level slog.Level) bool { return level >= j.level.Level() }

// Handle is slog.Handler's.
func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	return j.of[priorityOf(r.Level)].Handle(ctx, r)
}

// WithAttrs is slog.Handler's.
func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return j.with(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup is slog.Handler's.
func (j *journal) WithGroup(name string) slog.Handler {
	return j.with(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (j *journal) with(change func(slog.Handler) slog.Handler) slog.Handler {
	other := &journal{level: j.level}
	for i, h := range j.of {
		if h != nil {
			other.of[i] = change(h)
		}
	}
	return other
}
