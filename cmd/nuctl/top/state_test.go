// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"nuconntrack/cmd/nuctl/client"
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
	f := &fakeServer{rows: 100_000}
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
	if b.cursor != 99_999 {
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

func TestFilter(t *testing.T) {
	f := &fakeServer{rows: 100}
	b := started(t, f)
	b.keys("/")
	b.typed("tcp and dportt 4")
	b.submit("tcp and dportt 4")
	if b.prompt == nil || b.prompt.column != 9 || !strings.Contains(b.prompt.wrong, "dportt") || b.query.expr != "" {
		t.Fatalf("prompt %+v, filter %q", b.prompt, b.query.expr)
	}
	b.typed("tcp and dport 443")
	b.submit("tcp and dport 443")
	b.answers()
	calls := f.made()
	if b.prompt != nil || !strings.HasPrefix(calls[len(calls)-1], "map[expr:tcp and dport 443] byte_rate true 0 ") {
		t.Errorf("calls %q", calls)
	}
	if got := b.query.command(); got != "nuctl list --sort byte_rate:desc 'tcp and dport 443'" {
		t.Errorf("command %s", got)
	}
	b.keys("/")
	b.typed("udp")
	b.cancel()
	if b.query.expr != "tcp and dport 443" {
		t.Errorf("filter %q after Esc", b.query.expr)
	}
	b.keys("c")
	b.answers()
	if b.query.expr != "" {
		t.Errorf("filter %q after c", b.query.expr)
	}
}

func TestShellQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"": "''", "tcp": "tcp", "a b": "'a b'", "it's": `'it'\''s'`, "$(reboot)": "'$(reboot)'", "10.0.0.0/8": "10.0.0.0/8", "a\nb": "'a\nb'",
	} {
		if got := shellQuoted(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestOrder(t *testing.T) {
	f := &fakeServer{rows: 100}
	b := started(t, f)
	for _, c := range []struct {
		keys, field string
		desc        bool
	}{{"S", "orig_src", false}, {"S", "orig_src", true}, {"r", "orig_src", false}, {"R", "byte_rate", true}, {"R", "byte_rate", false}, {"Z", "byte_rate", false}} {
		if b.keys(c.keys); b.query.orderBy != c.field || b.query.desc != c.desc {
			t.Errorf("%s: by %s, descending %v", c.keys, b.query.orderBy, b.query.desc)
		}
	}
}

func TestGroups(t *testing.T) {
	f := &fakeServer{rows: 100}
	b := started(t, f)
	b.keys("S1")
	b.answers()
	calls := f.made()
	if calls[len(calls)-1] != "groups orig_src map[] connections false" || b.win.total != 2 || b.win.without != 2 {
		t.Fatalf("calls %q", calls)
	}
	b.keys(" k")
	if b.popup != nil || b.marks.count() != 0 {
		t.Error("a group was marked, or was to be killed")
	}
	b.keys("<down><enter>")
	b.answers()
	if b.query != (query{expr: "src 10.0.0.2", orderBy: "orig_src"}) {
		t.Errorf("then shown: %+v", b.query)
	}
	b.keys("3<enter>")
	b.answers()
	b.keys("<esc>")
	b.answers()
	if b.query.by != "" {
		t.Errorf("after Esc: %+v", b.query)
	}
}

func TestGroupTests(t *testing.T) {
	for value, want := range map[string]string{
		"2001:db8::1": "src 2001:db8::1", "a b": `src "a b"`, `x" or tcp or "`: `src "x\" or tcp or \""`,
	} {
		if got := groupingOf("orig_src").test(value); got != want {
			t.Errorf("%s: %s", value, got)
		}
	}
	if got := narrowed("tcp or udp", "mark 7"); got != "(tcp or udp) and mark 7" {
		t.Error(got)
	}
}

func TestWhatIsNotPermittedIsNotOffered(t *testing.T) {
	viewer := configOf(nil)
	viewer.Identity.Role, viewer.Identity.Methods = "viewer", []string{"view"}
	readOnly := configOf(nil)
	readOnly.ReadOnly = true
	for name, c := range map[string]Config{"viewer": viewer, "read-only": readOnly} {
		t.Run(name, func(t *testing.T) {
			f := &fakeServer{rows: 10}
			b := newBench(f, c)
			b.fetch.source = f
			b.answers()
			for _, key := range []string{" ", "a", "k", "m", "t"} {
				if b.keys(key); b.popup != nil || b.prompt != nil || b.marks.count() > 0 || b.message == "" {
					t.Errorf("%q did something, or said nothing: %q", key, b.message)
				}
			}
			b.keys("<enter>k")
			if b.popup == nil || b.popup.kind != popupDetail {
				t.Errorf("k in the details: %+v", b.popup)
			}
			b.popup = nil
			if b.keys("?"); strings.Contains(strings.Join(b.popup.lines, "\n"), "kill") || strings.Contains(b.hints(), "kill") {
				t.Error("the help speaks of kills")
			}
		})
	}
}

func TestChange(t *testing.T) {
	f := &fakeServer{rows: 10}
	b := started(t, f)
	b.keys("   m") // k0, k1, k2
	for _, wrong := range []string{"", "x", "-1", "0x100000000", "1/", "/2", "1/2/3"} {
		if b.submit(wrong); b.prompt == nil || b.prompt.wrong == "" {
			t.Fatalf("mark %q was taken", wrong)
		}
	}
	b.submit("0x10/0xf0")
	if b.popup == nil || !strings.Contains(b.popup.lines[0], "3 connections to 0x10/0xf0?") {
		t.Fatalf("asked %+v", b.popup)
	}
	b.keys("y")
	b.answers()
	text := strings.Join(b.popup.lines, "\n")
	if !strings.Contains(text, "2 of 3 changed") || !strings.Contains(text, "refused    tcp 10.0.0.1:1025 > 192.0.2.1:443: refused by the helper's policy") {
		t.Errorf("said: %s", text)
	}
	b.popup = nil
	b.keys("ut")
	if !strings.Contains(b.prompt.hint, "CANNOT BE UNDONE") {
		t.Errorf("hint %q", b.prompt.hint)
	}
	for _, wrong := range []string{"", "0", "-5", "2147484", "1h"} {
		if b.submit(wrong); b.prompt == nil || b.prompt.wrong == "" {
			t.Fatalf("timeout %q was taken", wrong)
		}
	}
	b.submit("60")
	b.keys("y")
	b.answers()
	if calls := f.made(); !slices.Contains(calls, "change timeout k3 60") {
		t.Errorf("calls %q", calls)
	}
}

func TestServerInTrouble(t *testing.T) {
	for _, c := range []struct {
		name, says string
		err        error
	}{
		{"gone", "cannot reach fw:8580", &client.Error{Kind: client.Unreachable, Server: "fw:8580", Err: errors.New("refused")}},
		{"silent", "fw:8580 does not answer", &client.Error{Kind: client.Timeout, Server: "fw:8580", Err: context.DeadlineExceeded}},
		{"nonsense", "answers nonsense", &client.Error{Kind: client.BadAnswer, Server: "fw:8580", Err: errors.New("read answer")}},
		{"without helper", "the helper cannot be reached (fault 9)", fault1(client.FaultHelper, "the helper cannot be reached")},
		{"busy", "fault 10", fault1(client.FaultBusy, "too many requests")},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeServer{rows: 50}
			b := started(t, f)
			f.do(func() { f.fail = c.err })
			b.later(b.interval)
			text, _ := freshness(b.state, newTheme(true, true))
			if !strings.HasPrefix(text, "STALE: read at ") || !strings.Contains(text, c.says) || b.win.row(0) == nil {
				t.Errorf("said %q", text)
			}
			before := len(f.made())
			b.later(b.interval / 2)
			if len(f.made()) != before {
				t.Error("tried again at once")
			}
			f.do(func() { f.fail = nil })
			b.later(b.interval)
			if b.trouble != "" {
				t.Errorf("still %q", b.trouble)
			}
		})
	}
}

func TestSlowServerIsSaidToBeSlow(t *testing.T) {
	b := started(t, &fakeServer{rows: 5})
	b.now = b.now.Add(b.interval)
	b.state.tick(b.now)
	b.state.tick(b.now.Add(5 * time.Second))
	if text, _ := freshness(b.state, theme{}); !strings.HasPrefix(text, "SLOW: ") || !strings.HasSuffix(text, "for 5s") {
		t.Errorf("said %q", text)
	}
	if n := len(b.requests()); n != 1 {
		t.Errorf("%d requests while one is under way", n)
	}
}

func TestSessionExpires(t *testing.T) {
	f := &fakeServer{rows: 50}
	b := started(t, f)
	f.do(func() { f.fail = fault1(client.FaultSession, "session unknown or expired") })
	b.later(b.interval)
	if b.trouble != "" || b.prompt != nil || !slices.Contains(f.made(), "renew") {
		t.Fatalf("trouble %q, calls %q", b.trouble, f.made())
	}
	f.do(func() {
		f.fail, f.password = fault1(client.FaultSession, "session unknown or expired"), "new"
	})
	b.later(b.interval)
	b.later(b.interval)
	if !b.asksPassword() {
		t.Fatalf("nobody is asked; trouble %q", b.trouble)
	}
	before := len(f.made())
	b.later(time.Hour)
	if len(f.made()) != before {
		t.Error("a password that is wrong was tried again and again")
	}
	b.submit("old")
	b.answers()
	b.later(time.Second)
	if !b.asksPassword() {
		t.Fatal("a wrong password ended the questions")
	}
	b.submit("new")
	b.answers()
	if b.trouble != "" || b.asksPassword() || b.lastRead != b.now {
		t.Errorf("trouble %q, read %v", b.trouble, b.lastRead)
	}
}

func TestDetails(t *testing.T) {
	f := &fakeServer{rows: 50, gone: map[int]bool{}}
	b := started(t, f)
	b.keys("<down><enter>")
	b.answers()
	if b.popup == nil || b.popup.key != "k1" || b.popup.note != "" {
		t.Fatalf("popup %+v", b.popup)
	}
	f.do(func() { f.gone[1] = true })
	b.later(b.interval)
	if !strings.Contains(b.popup.note, "has ended") || keyOf(b.popup.row) != "k1" {
		t.Errorf("note %q", b.popup.note)
	}
	b.keys("k")
	b.keys("y")
	b.answers()
	if !slices.Equal(f.killed, []string{"k1"}) {
		t.Errorf("killed %v", f.killed)
	}
}

func TestPause(t *testing.T) {
	f := &fakeServer{rows: 50}
	b := started(t, f)
	b.keys("p")
	before := len(f.made())
	b.later(time.Hour)
	if len(f.made()) != before {
		t.Error("a paused table was read")
	}
	b.keys("<f5>")
	b.answers()
	b.keys("p")
	b.answers()
	if len(f.made()) != before+2 {
		t.Errorf("%d readings", len(f.made())-before)
	}
}
