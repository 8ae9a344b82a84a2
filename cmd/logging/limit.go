// SPDX-License-Identifier: GPL-2.0-or-later

package logging

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxLines is how many lines of a kind, those with the same message, are written in Window.
	MaxLines = 100
	// Window is the time for which lines are counted.
	Window = 10 * time.Second
	// maxKinds is how many kinds are counted. Messages are written in the source, so that there are
	// never so many, but for those of libraries; what is more in Window is one kind.
	maxKinds = 512
	// maxValue is the most bytes of one value; maxStack the same for that of the key "stack".
	maxValue = 1024
	maxStack = 16 << 10

	stackKey = "stack"
)

// limiter counts the lines of each kind.
type limiter struct {
	handler slog.Handler // gets what is to be said of those left out

	mu    sync.Mutex // guards the rest
	kinds map[kind]*count
}

type kind struct {
	level   slog.Level
	message string
}

type count struct {
	began   time.Time // of the window
	written int
	left    int // out, and not yet told
}

func newLimiter(h slog.Handler) *limiter {
	return &limiter{handler: h, kinds: make(map[kind]*count)}
}

// allow counts a line and says whether it is to be written.
func (l *limiter) allow(k kind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.kinds[k]
	if c == nil {
		if len(l.kinds) >= maxKinds {
			l.forget(time.Now())
		}
		if len(l.kinds) >= maxKinds {
			k = kind{}
		}
		if c = l.kinds[k]; c == nil {
			c = &count{}
			l.kinds[k] = c
		}
	}
	now := time.Now()
	if now.Sub(c.began) >= Window {
		c.began, c.written = now, 0
	}
	if c.written < MaxLines {
		c.written++
		return true
	}
	if c.left++; c.left == 1 {
		time.AfterFunc(Window-now.Sub(c.began), func() { l.tell(k) })
	}
	return false
}

// forget forgets the kinds whose window is over and of which nothing is to be told. l.mu is held.
func (l *limiter) forget(now time.Time) {
	for k, c := range l.kinds {
		if c.left == 0 && now.Sub(c.began) >= Window {
			delete(l.kinds, k)
		}
	}
}

// tell writes how many lines of a kind were left out.
func (l *limiter) tell(k kind) {
	l.mu.Lock()
	left := 0
	if c := l.kinds[k]; c != nil { // flush may have told, and the kind been forgotten since
		left, c.left = c.left, 0
	}
	l.mu.Unlock()
	ctx := context.Background()
	if left == 0 || !l.handler.Enabled(ctx, k.level) {
		return
	}
	r := slog.NewRecord(time.Now(), k.level, "lines like others were left out", 0)
	r.AddAttrs(slog.String("like", k.message), slog.Int("count", left))
	_ = l.handler.Handle(ctx, r) // there is nobody else to tell
}

// flush tells of all.
func (l *limiter) flush() {
	l.mu.Lock()
	var due []kind
	for k, c := range l.kinds {
		if c.left > 0 {
			due = append(due, k)
		}
	}
	l.mu.Unlock()
	for _, k := range due {
		l.tell(k)
	}
}

// limited passes on what its limiter allows.
type limited struct {
	slog.Handler
	limiter *limiter
}

// Handle is slog.Handler's.
func (h limited) Handle(ctx context.Context, r slog.Record) error {
	if !h.limiter.allow(kind{r.Level, r.Message}) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler's.
func (h limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limited{h.Handler.WithAttrs(attrs), h.limiter}
}

// WithGroup is slog.Handler's.
func (h limited) WithGroup(name string) slog.Handler {
	return limited{h.Handler.WithGroup(name), h.limiter}
}

// bounded makes what may have come from outside harmless: it cuts it, and takes out what would
// steer a terminal or turn text around. The handlers quote the rest.
func bounded(a slog.Attr) slog.Attr {
	most := maxValue
	if a.Key == stackKey {
		most = maxStack
	}
	switch v := a.Value; v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, clean(v.String(), most))
	case slog.KindAny:
		if _, isLevel := v.Any().(slog.Level); isLevel {
			return a
		}
		return slog.String(a.Key, clean(fmt.Sprint(v.Any()), most))
	}
	return a
}

// clean leaves newlines and tabs, which the handlers write as escapes.
func clean(s string, most int) string {
	cut := len(s) > most
	if cut {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most]
	}
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
	if cut {
		s += "…"
	}
	return s
}
