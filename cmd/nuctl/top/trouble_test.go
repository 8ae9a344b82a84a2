// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nuconntrack/cmd/nuctl/client"
)

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
