// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"slices"
	"strings"
	"testing"
)

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
	if got := b.query.command(); got != "nuctl groups orig_src --sort connections:desc" {
		t.Errorf("command %s", got)
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
			for _, key := range []string{" ", "a", "k", "K", "m", "t"} {
				if b.keys(key); b.popup != nil || b.prompt != nil || b.marks.count() > 0 || b.message == "" {
					t.Errorf("%q did something, or said nothing: %q", key, b.message)
				}
			}
			b.keys("<enter>k")
			if b.popup == nil || b.popup.kind != popupDetail {
				t.Errorf("k in the details: %+v", b.popup)
			}
			b.popup = nil
			if b.keys("?"); strings.Contains(strings.Join(b.popup.lines, "\n"), "kill") || strings.Contains(b.hints(200), "kill") {
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
