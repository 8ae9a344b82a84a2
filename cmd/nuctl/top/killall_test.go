// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"slices"
	"strings"
	"testing"

	"nuconntrack/cmd/nuctl/client"
)

// killings are the calls that kill by a filter.
func killings(f *fakeServer) (calls []string) {
	for _, call := range f.made() {
		if strings.HasPrefix(call, "kill_matching") {
			calls = append(calls, call)
		}
	}
	return calls
}

func filtered(t *testing.T, f *fakeServer, expr string) *bench {
	t.Helper()
	b := started(t, f)
	b.keys("/")
	b.submit(expr)
	b.answers()
	return b
}

// TestKillAll: what goes is what the question told of, in the table that was shown then.
func TestKillAll(t *testing.T) {
	f := &fakeServer{rows: 9}
	b := filtered(t, f, "tcp and dport 443")
	snapshot := b.win.snapshot
	b.keys("K")
	b.answers()
	if !b.asksAll() || b.popup == nil {
		t.Fatalf("nothing is asked; message %q", b.message)
	}
	text := strings.Join(b.popup.lines, "\n")
	for _, want := range []string{"Kill all 9 connections that match?", "filter: tcp and dport 443", "tcp 10.0.0.0:1024 > 192.0.2.1:443",
		"and 3 more", "$ nuctl kill --matching 'tcp and dport 443'"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the question:\n%s", want, text)
		}
	}
	f.do(func() { f.shift = 5 })
	b.later(10 * b.interval)
	if b.win.snapshot != snapshot {
		t.Error("the table was read anew while the question stood")
	}
	for _, wrong := range []string{"", "y", "8", "99", "9x", "-9"} {
		if b.submit(wrong); !b.asksAll() || b.prompt.wrong == "" {
			t.Fatalf("%q was taken for 9", wrong)
		}
	}
	b.answers()
	if all := killings(f); len(all) > 0 {
		t.Fatalf("killed without the number: %q", all)
	}
	b.submit("9")
	b.answers()
	if got, want := killings(f), []string{"kill_matching map[expr:tcp and dport 443] " + snapshot}; !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
	text = strings.Join(b.popup.lines, "\n")
	if !strings.Contains(text, "8 of 9 killed") || !strings.Contains(text, "forbidden  id 1: this very call") || !strings.Contains(text, "nuctl kill --force KEY") {
		t.Errorf("said: %s", text)
	}
}

func TestKillAllOfAGroup(t *testing.T) {
	f := &fakeServer{rows: 9}
	b := filtered(t, f, "tcp or udp")
	b.keys("1")
	b.answers()
	b.keys("<down>K")
	b.answers()
	if !b.asksAll() {
		t.Fatalf("nothing is asked; message %q", b.message)
	}
	b.submit("9")
	b.answers()
	if got := killings(f); len(got) != 1 || !strings.HasPrefix(got[0], "kill_matching map[expr:(tcp or udp) and src 10.0.0.2] ") {
		t.Errorf("calls %q", got)
	}
}

func TestKillAllAsksNothing(t *testing.T) {
	for name, c := range map[string]struct {
		rows      int
		expr, say string
		before    func(*bench)
	}{
		"without a filter": {9, "", "set one with /", func(*bench) {}},
		"none matches":     {0, "tcp", "none is left", func(*bench) {}},
		"table gone":       {9, "tcp", "F5 reads a new one", func(b *bench) { b.server.do(func() { b.server.held = 99 }) }},
		"server gone": {9, "tcp", "cannot count them", func(b *bench) {
			b.server.do(func() { b.server.fail = &client.Error{Kind: client.Unreachable, Server: "fw"} })
		}},
		"busy": {9, "tcp", "wait: killing", func(b *bench) { b.acting = "killing 3 connections" }},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeServer{rows: c.rows}
			b := filtered(t, f, c.expr)
			b.keys("p")
			c.before(b)
			b.keys("K")
			b.answers()
			if b.asksAll() || b.popup != nil || !strings.Contains(b.message, c.say) {
				t.Errorf("message %q, popup %+v", b.message, b.popup)
			}
		})
	}
}

func TestKillAllOfTooMany(t *testing.T) {
	b := filtered(t, &fakeServer{rows: client.MaxMatching + 1}, "tcp")
	b.keys("K")
	b.answers()
	if b.asksAll() || b.popup == nil || !strings.HasPrefix(b.popup.lines[0], "20,001 connections match") {
		t.Errorf("message %q, popup %+v", b.message, b.popup)
	}
}

func TestKillAllGivenUp(t *testing.T) {
	f := &fakeServer{rows: 9}
	b := filtered(t, f, "tcp")
	b.keys("K")
	b.answers()
	b.cancel()
	b.later(b.interval)
	if b.popup != nil || b.prompt != nil || len(killings(f)) > 0 {
		t.Errorf("popup %+v, calls %q", b.popup, killings(f))
	}
	// The sample comes when the user has gone on to something else.
	b.keys("K")
	b.keys("?")
	b.answers()
	if b.asksAll() {
		t.Error("a question came up over the help")
	}
}

// TestKillAllOfATableThatIsGone: between question and answer.
func TestKillAllOfATableThatIsGone(t *testing.T) {
	f := &fakeServer{rows: 9}
	b := filtered(t, f, "tcp")
	b.keys("K")
	b.answers()
	f.do(func() { f.held = 99 })
	b.submit("9")
	b.answers()
	text := strings.Join(b.popup.lines, "\n")
	if !strings.Contains(text, "0 of 9 killed") || !strings.Contains(text, "Nothing was killed") {
		t.Errorf("said: %s", text)
	}
}

// TestManyReports: a box is drawn with every frame.
func TestManyReports(t *testing.T) {
	a := answer{request: request{op: opKillAll, total: 20_000}}
	for range 20_000 {
		a.reports = append(a.reports, report{outcome: "killed", name: "x", ended: true})
	}
	lines := reportLines(a, "killed")
	if len(lines) > 2*maxReportLines+10 || lines[0] != "20,000 of 20,000 killed" || lines[len(lines)-1] != "and 19,800 more" {
		t.Errorf("%d lines, from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
}
