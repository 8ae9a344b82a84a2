// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// seen is a screen that remembers what it showed last, and how often it was given back. Its
// size changes where it is drawn, as a terminal's does between two frames.
type seen struct {
	tcell.SimulationScreen
	finished atomic.Int32

	mu            sync.Mutex
	width, height int // to have from the next resize event on
	frame         []tcell.SimCell
	columns       int
}

func (s *seen) Init() error {
	err := s.SimulationScreen.Init()
	s.Sync()
	return err
}

func (s *seen) Sync() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.SetSize(s.width, s.height)
}

// Show keeps a copy: what GetContents gives changes while it is read.
func (s *seen) Show() {
	s.SimulationScreen.Show()
	cells, width, _ := s.GetContents()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame, s.columns = slices.Clone(cells), width
	for i := range s.frame {
		s.frame[i].Runes = slices.Clone(s.frame[i].Runes)
	}
}

func (s *seen) Fini() {
	s.finished.Add(1)
	s.SimulationScreen.Fini()
}

func newSeen(width, height int) *seen {
	return &seen{SimulationScreen: tcell.NewSimulationScreen("UTF-8"), width: width, height: height}
}

// running is `nuctl top` on a screen of the test.
type running struct {
	t      *testing.T
	screen *seen
	cancel context.CancelFunc
	done   chan error
}

func runTop(t *testing.T, c Config, width, height int) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, screen: newSeen(width, height), cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- runOn(ctx, c, r.screen) }()
	t.Cleanup(cancel)
	return r
}

func (r *running) resize(width, height int) {
	r.screen.mu.Lock()
	r.screen.width, r.screen.height = width, height
	r.screen.mu.Unlock()
	_ = r.screen.PostEvent(tcell.NewEventResize(width, height))
}

func (r *running) press(keys ...any) {
	for _, key := range keys {
		switch key := key.(type) {
		case tcell.Key:
			r.screen.InjectKey(key, 0, tcell.ModNone)
		case string:
			for _, letter := range key {
				r.screen.InjectKey(tcell.KeyRune, letter, tcell.ModNone)
			}
		}
	}
}

// cells are those of the last frame.
func (r *running) cells() ([]tcell.SimCell, int) {
	r.screen.mu.Lock()
	defer r.screen.mu.Unlock()
	return r.screen.frame, r.screen.columns
}

// lines are what is on the screen.
func (r *running) lines() []string {
	cells, width := r.cells()
	var lines []string
	for ; len(cells) > 0; cells = cells[width:] {
		var b strings.Builder
		for _, cell := range cells[:width] {
			b.WriteString(string(append(cell.Runes, ' ')[:1]))
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// until waits for a screen.
func (r *running) until(what string, so func(lines []string) bool) []string {
	r.t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); ; <-poll.C {
		lines := r.lines()
		if so(lines) {
			return lines
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain: %s; on the screen:\n%s", what, strings.Join(lines, "\n"))
		}
	}
}

func (r *running) shows(text string) []string {
	r.t.Helper()
	return r.until(text, func(lines []string) bool { return strings.Contains(strings.Join(lines, "\n"), text) })
}

func (r *running) showsNot(text string) []string {
	r.t.Helper()
	return r.until("no "+text, func(lines []string) bool { return !strings.Contains(strings.Join(lines, "\n"), text) })
}

// quit ends it and wants the terminal back.
func (r *running) quit() {
	r.t.Helper()
	r.press("q")
	select {
	case err := <-r.done:
		if err != nil || r.screen.finished.Load() != 1 {
			r.t.Errorf("ended with %v, the screen given back %d times", err, r.screen.finished.Load())
		}
	case <-time.After(patience):
		r.t.Fatal("does not quit")
	}
}
