// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"errors"

	"nuconntrack/cmd/nuctl/client"
)

// take learns what became of a request.
func (s *state) take(a answer) {
	switch a.request.op {
	case opRefresh:
		s.takeRefresh(a)
	case opScroll:
		s.takeScroll(a)
	case opDetail:
		s.takeDetail(a)
	case opSample:
		s.takeSample(a)
	case opKill, opKillAll, opChange:
		s.takeReports(a)
	case opLogin:
		s.takeLogin(a)
	}
}

func (s *state) takeRefresh(a answer) {
	if a.request.query != s.query || errors.Is(a.err, context.Canceled) {
		return // of something that is no longer shown
	}
	s.reading, s.lastTry = noTime, s.now
	if s.asksAll() {
		return // the question is about the table that is shown
	}
	if a.err != nil {
		s.fail(a.err)
		return
	}
	s.trouble, s.lastRead, s.read = "", s.now, true
	s.adopt(a.page)
}

// adopt shows a page of another table.
func (s *state) adopt(p page) {
	if len(p.warnings) > maxWarnings {
		p.warnings = p.warnings[:maxWarnings]
	}
	s.win = newWindow(p)
	s.scrolling = false
	s.again()
	if p := s.popup; p != nil && p.kind == popupDetail {
		s.askDetail(p.key)
	}
}

func (s *state) takeScroll(a answer) {
	if a.request.query != s.query || a.request.snapshot != s.win.snapshot {
		return
	}
	s.scrolling = false
	switch {
	case fault(a.err) == client.FaultSnapshot:
		// Others have looked at so many tables that ours is gone.
		if s.reading.IsZero() {
			s.refresh()
		}
		return
	case errors.Is(a.err, context.Canceled):
		return
	case a.err != nil:
		s.scrollAfter = s.now.Add(s.interval)
		s.fail(a.err)
		return
	}
	s.win = newWindow(a.page)
	if s.cursorKey == "" {
		s.choose()
	}
	s.settle()
}

// fail shows why the table is not fresh. What is shown stays; the next reading is due as
// ever.
func (s *state) fail(err error) {
	s.trouble = troubleOf(err)
	s.refused = s.refused || fault(err) == client.FaultAuthentication
}

func (s *state) takeLogin(a answer) {
	if a.err != nil {
		// One that could not be asked counts as refused too: the user decides.
		s.refused = true
		s.fail(a.err)
		return
	}
	s.trouble, s.refused = "", false
	s.say("logged in again")
	s.reading, s.scrolling = noTime, false
	s.refresh()
}

func (s *state) takeDetail(a answer) {
	p := s.popup
	if p == nil || p.kind != popupDetail || len(a.request.keys) != 1 || a.request.keys[0] != p.key {
		return
	}
	switch {
	case errors.Is(a.err, context.Canceled):
	case a.err != nil:
		p.note = "not up to date: " + troubleOf(a.err)
	case len(a.page.rows) == 0:
		p.note = "This connection has ended; below is what was known of it last."
	default:
		p.note, p.row = "", a.page.rows[0]
	}
}

// takeReports shows what became of each connection, and marks no longer what has ended.
func (s *state) takeReports(a answer) {
	s.acting = ""
	s.fade(a)
	p := &popup{kind: popupText, title: "What became of them"}
	if a.request.kills() {
		p.lines = reportLines(a, "killed")
	} else {
		p.lines = reportLines(a, "changed")
	}
	if s.popup != nil || s.prompt != nil {
		// The user is busy with something else: one line must do.
		s.say("%s", p.lines[0])
	} else {
		s.popup = p
	}
	if !s.paused && s.reading.IsZero() {
		s.refresh()
	}
}

func (s *state) fade(a answer) {
	if !a.request.kills() {
		return
	}
	var ended []string
	for _, r := range a.reports {
		if r.ended {
			ended = append(ended, r.key)
		}
	}
	s.marks.remove(ended...)
}
