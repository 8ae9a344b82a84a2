// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
)

// keys presses keys: characters, or names in <>.
func (b *bench) keys(text string) {
	named := map[string]tcell.Key{"<up>": tcell.KeyUp, "<down>": tcell.KeyDown, "<pgdn>": tcell.KeyPgDn, "<pgup>": tcell.KeyPgUp,
		"<home>": tcell.KeyHome, "<end>": tcell.KeyEnd, "<enter>": tcell.KeyEnter, "<esc>": tcell.KeyEscape, "<f5>": tcell.KeyF5}
	for len(text) > 0 {
		if name, _, ok := strings.Cut(text, ">"); ok && named[name+">"] != 0 {
			b.press(named[name+">"], 0)
			text = text[len(name)+1:]
			continue
		}
		b.press(tcell.KeyRune, rune(text[0]))
		text = text[1:]
	}
}

func started(t *testing.T, f *fakeServer) *bench {
	t.Helper()
	b := newBench(f, configOf(f))
	b.answers()
	if !b.read || b.trouble != "" {
		t.Fatalf("no table: %q", b.trouble)
	}
	return b
}

// TestManyRowsAreFetchedInWindows: whatever the size of the table, only what is near the
// screen crosses the network, all of one snapshot.
func TestManyRowsAreFetchedInWindows(t *testing.T) {
	for _, rows := range []int{100_000, 1_000_000} {
		t.Run(grouped(rows), func(t *testing.T) { scrollThrough(t, rows) })
	}
}

func scrollThrough(t *testing.T, rows int) {
	f := &fakeServer{rows: rows}
	b := started(t, f)
	b.keys("p")
	shown := func() {
		t.Helper()
		for at := b.top; at < b.top+b.height; at++ {
			row := b.win.row(at)
			if want := fmt.Sprintf("k%d", at); row == nil || keyOf(row) != want {
				t.Fatalf("row %d is %v, want %s", at, row, want)
			}
		}
		if len(b.win.rows) > b.height+2*maxMargin {
			t.Fatalf("%d rows are held", len(b.win.rows))
		}
	}
	shown()
	for range 200 {
		b.keys("<pgdn>")
		b.answers()
		shown()
	}
	b.keys("<end>")
	b.answers()
	shown()
	if b.cursor != rows-1 {
		t.Errorf("the last line is %d", b.cursor)
	}
	for range 100 {
		b.keys("<pgup>")
		b.answers()
		shown()
	}
	b.keys("<home>")
	b.answers()
	shown()
	calls := f.made()
	for _, call := range calls[1:] {
		if !strings.HasSuffix(call, " s1") {
			t.Fatalf("a page of another table: %s", call)
		}
	}
	if len(calls) > 200 {
		t.Errorf("%d calls for 300 screens", len(calls))
	}
}

func TestKeysNeverWait(t *testing.T) {
	f := &fakeServer{rows: 100_000}
	b := started(t, f)
	b.keys("<end>") // the rows there are on their way
	if b.cursor != 99_999 || b.win.row(b.cursor) != nil {
		t.Fatalf("cursor %d", b.cursor)
	}
	b.keys(" k")
	if b.marks.count() != 0 || b.popup != nil {
		t.Error("something that nobody has seen was marked, or was to be killed")
	}
	b.answers()
	if b.win.row(b.cursor) == nil || b.cursorKey != "k99999" {
		t.Errorf("under the cursor is %q", b.cursorKey)
	}
}

func TestSnapshotNoLongerHeld(t *testing.T) {
	f := &fakeServer{rows: 1000}
	b := started(t, f)
	b.keys("p")
	f.do(func() { f.held = 5; f.snapshot = 7 })
	b.keys("<end>")
	b.answers()
	if b.win.snapshot != "s8" || b.win.row(999) == nil || b.trouble != "" {
		t.Errorf("snapshot %s, trouble %q", b.win.snapshot, b.trouble)
	}
}

func TestLateAnswersAreDropped(t *testing.T) {
	f := &fakeServer{rows: 100}
	b := started(t, f)
	b.keys("S")
	old := b.requests()
	b.keys("D")
	b.answers()
	late := page{total: 1, count: 1, snapshot: "old", rows: nil}
	for _, r := range old {
		b.take(answer{request: r, page: late})
		b.take(answer{request: r, err: errors.New("late trouble")})
	}
	b.take(answer{request: request{op: opScroll, query: b.query, snapshot: "other"}, page: late})
	if b.win.total != 100 || b.trouble != "" || b.query.orderBy != "orig_dst" {
		t.Errorf("total %d, trouble %q, by %s", b.win.total, b.trouble, b.query.orderBy)
	}
}

func TestCursorStaysOnItsConnection(t *testing.T) {
	f := &fakeServer{rows: 1000, gone: map[int]bool{}}
	b := started(t, f)
	b.keys("<down><down><down>")
	if b.cursorKey != "k3" {
		t.Fatalf("under the cursor is %s", b.cursorKey)
	}
	f.do(func() { f.shift = 10 })
	b.later(b.interval)
	if b.cursorKey != "k3" || b.cursor != 13 || keyOf(b.win.row(b.cursor)) != "k3" {
		t.Errorf("cursor on %s at %d", b.cursorKey, b.cursor)
	}
	f.do(func() { f.gone[3] = true })
	b.later(b.interval)
	if b.cursor != 13 || b.cursorKey != "k4" || !strings.Contains(b.message, "gone or moved away: tcp 10.0.0.3:") {
		t.Errorf("cursor on %s at %d, message %q", b.cursorKey, b.cursor, b.message)
	}
	b.keys("<home>")
	f.do(func() { f.shift = 20 })
	b.later(b.interval)
	if b.cursor != 0 || b.cursorKey != "k-20" {
		t.Errorf("who looks at the top sees %s at %d", b.cursorKey, b.cursor)
	}
}

func TestMarksBelongToConnections(t *testing.T) {
	f := &fakeServer{rows: 1000, gone: map[int]bool{}}
	b := started(t, f)
	b.keys("<down>  ") // k1 and k2
	f.do(func() { f.shift = 500 })
	b.later(b.interval)
	b.keys("Sr")
	b.answers()
	b.keys("<end>")
	b.answers()
	keys, _ := b.marks.all()
	if !slices.Equal(keys, []string{"k1", "k2"}) {
		t.Fatalf("marked are %v", keys)
	}
	b.keys("k")
	if len(f.killed) > 0 || b.popup == nil || !strings.Contains(strings.Join(b.popup.lines, "\n"), "Kill the 2 connections that you have marked?") {
		t.Fatalf("killed %v, asked %v", f.killed, b.popup)
	}
	b.keys("<enter>x ")
	b.answers()
	if len(f.killed) > 0 {
		t.Fatalf("killed %v without a yes", f.killed)
	}
	b.keys("y")
	b.answers()
	if !slices.Equal(f.killed, []string{"k1", "k2"}) {
		t.Fatalf("killed %v", f.killed)
	}
	text := strings.Join(b.popup.lines, "\n")
	if !strings.Contains(text, "1 of 2 killed") || !strings.Contains(text, "killed     tcp 10.0.0.1:") || !strings.Contains(text, "it came back") {
		t.Errorf("said: %s", text)
	}
	if keys, _ := b.marks.all(); !slices.Equal(keys, []string{"k2"}) {
		t.Errorf("still marked are %v", keys)
	}
}

// TestKillMeansWhatWasAsked: lines move while the question stands.
func TestKillMeansWhatWasAsked(t *testing.T) {
	f := &fakeServer{rows: 100}
	b := started(t, f)
	b.keys("<down>k")
	f.do(func() { f.shift = 7 })
	b.later(b.interval)
	b.keys("y")
	b.answers()
	if !slices.Equal(f.killed, []string{"k1"}) {
		t.Errorf("killed %v", f.killed)
	}
}

func TestNoMoreMarksThanCanBeNamed(t *testing.T) {
	var m marks
	for i := range maxMarks {
		if !m.add(map[string]any{"key": fmt.Sprint("k", i)}) {
			t.Fatal("refused too early")
		}
	}
	if m.add(map[string]any{"key": "more"}) || m.count() != maxMarks {
		t.Errorf("%d marks", m.count())
	}
}
