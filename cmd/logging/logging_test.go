// SPDX-License-Identifier: GPL-2.0-or-later

package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

func TestJournalLines(t *testing.T) {
	var out bytes.Buffer
	var level slog.LevelVar
	level.Set(slog.LevelDebug)
	log, _ := New(Config{Out: &out, Level: &level, Journal: true})
	log.Debug("d")
	log.Info("i", "k", 1)
	log.With("a", "b").Warn("w")
	log.WithGroup("g").Error("e", "level", 2)
	level.Set(slog.LevelWarn)
	log.Info("not wanted any more")
	want := "<7>msg=d\n<6>msg=i k=1\n<4>msg=w a=b\n<3>msg=e g.level=2\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestHostileValues(t *testing.T) {
	hostile := "a\x1b[2J\u202eb\nlevel=ERROR msg=forged \u009b\x00" + strings.Repeat("x", 5000)
	for name, cfg := range map[string]Config{
		"text": {}, "json": {Format: JSON}, "journal": {Journal: true}, "json in the journal": {Format: JSON, Journal: true},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cfg.Out = &out
			log, _ := New(cfg)
			log.Warn("login failed", "user", hostile, "error", errors.New(hostile), "list", []string{hostile})
			log.Warn(hostile)
			if n := strings.Count(out.String(), "\n"); n != 2 {
				t.Errorf("%d lines of 2", n)
			}
			if strings.ContainsAny(out.String(), "\x1b\x00\u202e\u009b") {
				t.Errorf("steers a terminal: %q", out.String())
			}
			if out.Len() > 6*maxValue {
				t.Errorf("%d bytes", out.Len())
			}
			for line := range strings.Lines(out.String()) {
				if cfg.Journal && !strings.HasPrefix(line, "<4>") {
					t.Errorf("no priority: %q", line)
				}
				if cfg.Format == JSON && !json.Valid([]byte(strings.TrimPrefix(line, "<4>"))) {
					t.Errorf("no JSON: %q", line)
				}
			}
		})
	}
}

// shared is a buffer that may be read while others write.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *shared) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
}

func TestFloodIsBoundedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out shared
		log, flush := New(Config{Out: &out})
		for i := range 5 * MaxLines {
			log.Warn("login failed", "user", fmt.Sprint("u", i))
		}
		log.Warn("something else")
		if n := strings.Count(out.String(), "msg=\"login failed\""); n != MaxLines || !strings.Contains(out.String(), "something else") {
			t.Fatalf("%d lines of the flood", n)
		}
		time.Sleep(Window + time.Second)
		synctest.Wait()
		if want := fmt.Sprintf("like=\"login failed\" count=%d\n", 4*MaxLines); strings.Count(out.String(), want) != 1 {
			t.Errorf("no %q at the end of\n%s", want, tail(out.String()))
		}
		out.Reset()
		log.Warn("login failed", "user", "later")
		if !strings.Contains(out.String(), "later") {
			t.Error("the next window is as good as the first")
		}
		for range 2 * MaxLines {
			log.Warn("login failed")
		}
		flush()
		flush()
		if want := fmt.Sprintf("count=%d\n", MaxLines+1); strings.Count(out.String(), "count=") != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("no %q, once, at the end: %s", want, tail(out.String()))
		}
		time.Sleep(2 * Window)
	})
}

func tail(s string) string { return s[max(0, len(s)-300):] }

func TestKindsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // all in one window
		var out bytes.Buffer
		l := newLimiter(slog.NewTextHandler(&out, nil))
		log := slog.New(limited{l.handler, l})
		for i := range 10 * maxKinds {
			log.Info(fmt.Sprint("message ", i))
		}
		if len(l.kinds) > maxKinds+1 {
			t.Errorf("%d kinds are counted", len(l.kinds))
		}
		if n := strings.Count(out.String(), "\n"); n > maxKinds+MaxLines {
			t.Errorf("%d lines", n)
		}
		l.flush()
	})
}

// TestKindsAreForgotten: a flood of kinds does not leave all lines to come in one.
func TestKindsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out shared
		log, flush := New(Config{Out: &out})
		defer flush()
		for i := range 2 * maxKinds {
			log.Info(fmt.Sprint("message ", i))
		}
		time.Sleep(2 * Window)
		for i := range 2 * MaxLines {
			log.Info(fmt.Sprint("noise ", i))
			log.Warn("what counts", "line", i)
		}
		if n := strings.Count(out.String(), "what counts"); n != MaxLines {
			t.Errorf("%d lines, want %d", n, MaxLines)
		}
		if n := strings.Count(out.String(), "noise"); n != 2*MaxLines {
			t.Errorf("%d kinds after those before, want %d", n, 2*MaxLines)
		}
		time.Sleep(2 * Window)
	})
}

func TestLinesStayWhole(t *testing.T) {
	var out bytes.Buffer // not safe by itself
	log, _ := New(Config{Out: &out, Journal: true})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { log.Log(t.Context(), slog.Level(4*(i%3)), "line", "n", i) })
	}
	all.Wait()
	for line := range strings.Lines(out.String()) {
		if strings.Count(line, "msg=line") != 1 || line[0] != '<' {
			t.Errorf("torn: %q", line)
		}
	}
}

func TestParseLevel(t *testing.T) {
	for _, name := range Levels() {
		if l, err := ParseLevel(name); err != nil || !strings.EqualFold(l.String(), name) {
			t.Errorf("%s: %s, %v", name, l, err)
		}
	}
	for _, name := range []string{"", "INFO", "notice", "info ", "4"} {
		if _, err := ParseLevel(name); err == nil {
			t.Errorf("%q is a level", name)
		}
	}
}

func TestUnderJournal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, stream := range []string{"", "1:2", "nonsense"} {
		if UnderJournal(stream, w) {
			t.Errorf("JOURNAL_STREAM=%q is believed", stream)
		}
	}
	var stat unix.Stat_t
	if err := unix.Fstat(int(w.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	stream := fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
	if !UnderJournal(stream, w) {
		t.Error("the stream itself is not believed")
	}
	if UnderJournal(stream, &bytes.Buffer{}) {
		t.Error("what is no file goes to the journal")
	}
}
