// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"

	"nuconntrack/cmd/nuctl/connection"
)

// popupKind says what a box over the table is.
type popupKind int

const (
	popupText    popupKind = iota + 1 // lines to read
	popupConfirm                      // a question: y or not
	popupDetail                       // one connection
)

// popup is a box over the table.
type popup struct {
	kind  popupKind
	title string
	lines []string
	// yes is asked for if the question is answered so.
	yes request
	// key, row and note are for popupDetail: which connection, what is known of it, and why
	// that is not the latest.
	key  string
	row  connection.Row
	note string
	// line is the first that is shown; the view keeps it within bounds.
	line int
}

// targets are the connections to act upon: those that are marked, else the one under the
// cursor.
func (s *state) targets() (keys, names []string) {
	switch {
	case s.acting != "":
		s.say("wait: %s", s.acting)
		return nil, nil
	case s.query.by != "" && s.marks.count() == 0:
		s.say("a group is no connection: Enter shows its connections")
		return nil, nil
	case s.marks.count() > 0:
		return s.marks.all()
	case s.cursorKey == "":
		s.say("there is no connection under the cursor")
		return nil, nil
	}
	return []string{s.cursorKey}, []string{s.cursorName}
}

// confirmKill asks whether to kill; which connections is settled here, by key.
func (s *state) confirmKill() {
	keys, names := s.targets()
	if len(keys) == 0 {
		return
	}
	question := fmt.Sprintf("Kill %s?", plural(len(keys)))
	if s.marks.count() > 0 {
		question = fmt.Sprintf("Kill the %s that you have marked?", plural(len(keys)))
	}
	s.question("Kill", question, request{op: opKill, keys: keys, names: names})
}

func (s *state) confirmChange(field, value string, p *prompt) {
	question := fmt.Sprintf("Change the mark of %s to %s?", plural(len(p.keys)), value)
	if field == "timeout" {
		question = fmt.Sprintf("End %s in %s seconds, whatever passes? This cannot be undone.", plural(len(p.keys)), value)
	}
	s.question("Change", question, request{op: opChange, field: field, value: value, keys: p.keys, names: p.names})
}

// question asks before a request is made.
func (s *state) question(title, text string, yes request) {
	lines := append([]string{text, ""}, sample(yes.names)...)
	s.popup = &popup{kind: popupConfirm, title: title, lines: append(lines, "", "y: yes, do it    n: no"), yes: yes}
}

// agree does what the question asks.
func (s *state) agree() {
	yes := s.popup.yes
	s.popup = nil
	s.acting = fmt.Sprintf("changing %s", plural(len(yes.keys)))
	if yes.op == opKill {
		s.acting = fmt.Sprintf("killing %s, and watching whether they come back", plural(len(yes.keys)))
	}
	s.ask(yes)
}

// sample is some of the names, and how many more there are.
func sample(names []string) []string {
	if len(names) <= sampleRows {
		return names
	}
	more := fmt.Sprintf("and %d more", len(names)-sampleRows)
	return append(names[:sampleRows:sampleRows], more)
}

func plural(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}

// detail opens the box with all about the connection under the cursor.
func (s *state) detail() {
	row := s.win.row(s.cursor)
	if row == nil || s.cursorKey == "" {
		s.say("there is no connection under the cursor")
		return
	}
	s.popup = &popup{kind: popupDetail, title: "Connection", key: s.cursorKey, row: row, note: "reading..."}
	s.askDetail(s.cursorKey)
}

// askDetail asks about a connection as it is in the table that is shown: a fresh one would
// take that one's place at the server.
func (s *state) askDetail(key string) {
	s.ask(request{op: opDetail, keys: []string{key}, snapshot: s.win.snapshot})
}
