// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/gdamore/tcell/v2"

	"nuconntrack/cmd/nuctl/client"
)

func TestScreen(t *testing.T) {
	c := configOf(&fakeServer{rows: 100_000})
	c.Interval = MaxInterval // one reading, which cannot be said to be slow once it is there
	r := runTop(t, c, 80, 24)
	lines := r.shows("line 1 of 100,000")
	for at, want := range map[int]string{
		0: "nuctl top  eve (admin) at https://fw:8580/RPC2               100,000 connections", 1: "read at ", 2: "all connections",
		3: "WARNING accounting: off", 4: "  PROTO  ", 5: "  tcp", 20: "  tcp", 22: "$ nuctl list --sort byte_rate:desc", 23: "? help",
	} {
		if !strings.HasPrefix(lines[at], want) {
			t.Errorf("line %d is %q, want %q", at, lines[at], want)
		}
	}
	if len(lines) != 24 || !strings.Contains(lines[5], "10.0.0.0:1024") || !strings.Contains(lines[20], "10.0.0.15:1039") {
		t.Errorf("the rows:\n%s", strings.Join(lines, "\n"))
	}
	for _, line := range lines {
		if len([]rune(line)) > 80 {
			t.Errorf("too long: %q", line)
		}
	}
	r.press(tcell.KeyEnd)
	r.shows("10.1.134.159:")
	r.resize(50, 10)
	r.shows("60x12 is needed")
	r.resize(200, 50)
	lines = r.shows("line 100,000 of 100,000")
	if !strings.Contains(lines[4], "SENT  RECVD  EXPIRES") || !strings.HasSuffix(lines[4], "ID") || !strings.Contains(lines[46], "10.1.134.159:") {
		t.Errorf("at 200x50:\n%s", strings.Join(lines, "\n"))
	}
	r.resize(60, 12)
	r.shows("10.1.134.159:")
	r.quit()
}

func TestMarkAndKillOnTheScreen(t *testing.T) {
	f := &fakeServer{rows: 100}
	c := configOf(f)
	c.Interval = MinInterval
	r := runTop(t, c, 80, 24)
	r.shows("line 1 of 100")
	r.press(tcell.KeyDown, " ")
	r.shows("1 marked")
	r.until("the sign of the mark", func(lines []string) bool { return strings.HasPrefix(lines[6], "* tcp") })
	f.do(func() { f.shift = 3 })
	r.until("the sign where the connection is now", func(lines []string) bool {
		return strings.HasPrefix(lines[9], "* tcp") && strings.Contains(lines[9], "10.0.0.1:") && strings.HasPrefix(lines[6], "  tcp")
	})
	r.press("k")
	lines := r.shows("Kill the 1 connection that you have marked?")
	if !strings.Contains(strings.Join(lines, "\n"), "tcp 10.0.0.1:1025 > 192.0.2.1:443") || !strings.HasPrefix(lines[23], "y: yes, do it") {
		t.Errorf("the question:\n%s", strings.Join(lines, "\n"))
	}
	r.press("y")
	r.shows("1 of 1 killed")
	r.press(tcell.KeyEscape)
	r.showsNot("1 marked")
	r.quit()
}

func TestFilterOnTheScreen(t *testing.T) {
	r := runTop(t, configOf(&fakeServer{rows: 100}), 80, 24)
	r.shows("line 1 of 100")
	r.press("/tcp and dportt 4")
	r.shows("/tcp and dportt 4")
	lines := r.shows("WRONG at character 9: there is no name \"dportt\"")
	if lines[21] != strings.Repeat(" ", 9)+"v" || lines[22] != "/tcp and dportt 4" {
		t.Errorf("the prompt:\n%s", strings.Join(lines[20:], "\n"))
	}
	r.press(tcell.KeyEnter)
	r.press(tcell.KeyBackspace2, tcell.KeyBackspace2, tcell.KeyBackspace2, " 4", tcell.KeyEnter)
	r.shows("filter: tcp and dport 4")
	r.shows("$ nuctl list --sort byte_rate:desc 'tcp and dport 4'")
	r.quit()
}

// TestPastedTextIsNoCommand: a line end in it submits nothing, and letters kill nothing.
func TestPastedTextIsNoCommand(t *testing.T) {
	r := runTop(t, configOf(&fakeServer{rows: 100}), 80, 24)
	r.shows("line 1 of 100")
	paste := func(text string) {
		_ = r.screen.PostEvent(tcell.NewEventPaste(true))
		for _, letter := range text {
			key := tcell.KeyRune
			if letter == '\n' {
				key = tcell.KeyEnter
			}
			_ = r.screen.PostEvent(tcell.NewEventKey(key, letter, tcell.ModNone))
		}
		_ = r.screen.PostEvent(tcell.NewEventPaste(false))
	}
	paste("ky\nq")
	r.press("/")
	r.shows("Enter: show these")
	paste("udp\n")
	r.shows("/udp")
	r.press(tcell.KeyEnter)
	lines := r.shows("filter: udp")
	if strings.Contains(strings.Join(lines, "\n"), "Kill") {
		t.Error("a pasted k asked to kill")
	}
	r.quit()
}

// TestHostileText: neither control characters nor markup of what draws get to the screen.
func TestHostileText(t *testing.T) {
	f := &fakeServer{rows: 30, hostile: true}
	c := configOf(f)
	c.Identity.User, c.Server = "[fuchsia]e\x1bve", "[::b]fw\x07"
	r := runTop(t, c, 160, 24)
	check := func(text string) {
		t.Helper()
		lines := r.shows(text)
		cells, _ := r.cells()
		for _, cell := range cells {
			fg, _, _ := cell.Style.Decompose()
			if len(cell.Runes) > 1 || len(cell.Runes) == 1 && !unicode.IsPrint(cell.Runes[0]) || fg == tcell.ColorFuchsia {
				t.Fatalf("cell %q, colour %v on the screen:\n%s", cell.Runes, fg, strings.Join(lines, "\n"))
			}
		}
	}
	check(`[fuchsia]`)
	check(`[fuchsia]e\x1bve`)
	check(`[::r]\u202ee`)
	r.press(tcell.KeyEnter)
	check(`original  \x9b2J\x0d\x0a10.0.0.1`)
	r.press(tcell.KeyEscape, " k")
	check(`[fuchsia]\x1b[31mtcp[-] `)
	r.press("n")
	f.do(func() { f.fail = fault1(client.FaultHelper, "gone \x1b[2J[blue]x") })
	r.press(tcell.KeyF5)
	check(`gone \x1b[2J[blue]x (fault 9)`)
	r.quit()
}

// TestNoColor: what colours say is said by attributes and words.
func TestNoColor(t *testing.T) {
	c := configOf(&fakeServer{rows: 100})
	c.Colours, c.Unicode = false, false
	r := runTop(t, c, 80, 24)
	r.shows("line 1 of 100")
	r.press(" ")
	r.shows("1 marked")
	for _, keys := range []string{"", "k", "n", "?", "q", "/tcp and x"} {
		r.press(keys)
		lines := r.lines()
		cells, _ := r.cells()
		for i, cell := range cells {
			fg, bg, _ := cell.Style.Decompose()
			if cell.Runes[0] != ' ' && fg != tcell.ColorDefault && fg != tcell.ColorReset || bg != tcell.ColorDefault && bg != tcell.ColorReset {
				t.Fatalf("after %q cell %d, %q, has the colours %v on %v:\n%s", keys, i, cell.Runes, fg, bg, strings.Join(lines, "\n"))
			}
		}
	}
	r.press(tcell.KeyEscape)
	r.quit()
}

// TestOrderShows: however narrow the terminal, the column that is sorted by is there.
func TestOrderShows(t *testing.T) {
	r := runTop(t, configOf(&fakeServer{rows: 50}), 60, 24)
	r.shows("B/S-")
	for key, title := range map[string]string{"E": "EXPIRES+", "O": "SENT-", "I": "RECVD-", "A": "AGE-", "U": "USER+", "M": "MARK-"} {
		r.press(key)
		lines := r.shows(title)
		if !strings.Contains(lines[4], "SOURCE") || !strings.Contains(lines[4], "DESTINATION") {
			t.Errorf("by %s: %q", title, lines[4])
		}
	}
	r.quit()
}

// TestColours: text has the terminal's own two colours or two of the 16, so that it can be
// read whatever the terminal's background is.
func TestColours(t *testing.T) {
	f := &fakeServer{rows: 50}
	r := runTop(t, configOf(f), 80, 24)
	r.shows("line 1 of 50")
	r.press("  p")
	r.shows("2 marked")
	look := func(what string) {
		t.Helper()
		cells, width := r.cells()
		for i, cell := range cells {
			fg, bg, _ := cell.Style.Decompose()
			if len(cell.Runes) == 0 || cell.Runes[0] == ' ' && bg == tcell.ColorDefault {
				continue
			}
			if (fg == tcell.ColorDefault) != (bg == tcell.ColorDefault) || fg.Valid() && fg > tcell.ColorWhite || bg.Valid() && bg > tcell.ColorWhite {
				t.Errorf("%s: %q at %d,%d is %v on %v", what, cell.Runes, i%width, i/width, fg, bg)
				return
			}
		}
	}
	look("paused, with marks")
	cells, width := r.cells()
	for x := range width {
		if _, bg, _ := cells[5*width+x].Style.Decompose(); bg == tcell.ColorDefault {
			t.Fatalf("the marked line has no background at %d", x)
		}
	}
	r.press("/dportt")
	r.shows("WRONG")
	look("wrong filter")
	r.press(tcell.KeyEscape)
	r.showsNot("WRONG")
	f.do(func() { f.fail = &client.Error{Kind: client.Unreachable, Server: "fw"} })
	r.press("p")
	r.shows("STALE")
	look("stale")
	r.quit()
}

func TestServerThatHangs(t *testing.T) {
	f := &fakeServer{rows: 100}
	c := configOf(f)
	c.Interval = MinInterval
	r := runTop(t, c, 80, 24)
	r.shows("line 1 of 100")
	f.do(func() { f.hold = make(chan struct{}) })
	r.shows("SLOW: ")
	// All that needs no answer goes on.
	r.press(tcell.KeyDown, tcell.KeyDown)
	r.shows("line 3 of 100")
	r.press("?")
	r.shows("this help")
	r.press("q")
	r.quit()
}

// TestWorkerPanics: the terminal is given back before anybody hears of it.
func TestWorkerPanics(t *testing.T) {
	screen := newSeen(80, 24)
	defer func() {
		p := recover()
		if text := fmt.Sprint(p); !strings.Contains(text, "source broken") || screen.finished.Load() != 1 {
			t.Errorf("panic %v, the screen given back %d times", p, screen.finished.Load())
		}
	}()
	_ = runOn(t.Context(), configOf(&fakeServer{panics: true}), screen)
	t.Error("a panic was swallowed")
}

func TestEndOfContext(t *testing.T) {
	r := runTop(t, configOf(&fakeServer{rows: 10}), 80, 24)
	r.shows("line 1 of 10")
	r.cancel()
	if err := <-r.done; err != nil || r.screen.finished.Load() != 1 {
		t.Errorf("ended with %v, the screen given back %d times", err, r.screen.finished.Load())
	}
}

// TestNewRequestEndsTheOldOne: a server that is slow for one filter does not hold up the next.
func TestNewRequestEndsTheOldOne(t *testing.T) {
	f := &fakeServer{rows: 10, hold: make(chan struct{})}
	fetch := newFetcher(f, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { fetch.run(ctx); close(ended) }()
	first, second := request{op: opRefresh, query: query{expr: "tcp"}, length: 5}, request{op: opRefresh, query: query{expr: "udp"}, length: 5}
	fetch.ask(first)
	for poll := time.NewTicker(time.Millisecond); len(f.made()) == 0; <-poll.C {
		// The worker has the first one as soon as the server has its call.
	}
	f.do(func() { f.hold = nil })
	fetch.ask(second)
	a := <-fetch.answers
	if a.request.query != first.query || !errors.Is(a.err, context.Canceled) {
		t.Errorf("first answer %+v", a)
	}
	if a := <-fetch.answers; a.request.query != second.query || a.err != nil || len(a.page.rows) != 5 {
		t.Errorf("second answer %+v", a)
	}
	cancel()
	<-ended
}
