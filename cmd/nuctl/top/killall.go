// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"strconv"
	"strings"

	"nuconntrack/cmd/nuctl/client"
)

// askAll begins the question whether to kill all that match, of the table that is shown: what
// begins later is not meant. A group stands for its connections.
func (s *state) askAll() {
	q := s.query
	switch {
	case s.acting != "":
		s.say("wait: %s", s.acting)
		return
	case !s.read:
		s.say("there is no table yet")
		return
	case s.query.by != "":
		var ok bool
		if q, ok = s.inGroup(); !ok {
			return
		}
	case strings.TrimSpace(q.expr) == "":
		s.say("K kills all that match a filter: set one with / or 1-5")
		return
	}
	s.say("counting them")
	s.ask(request{op: opSample, query: q, length: sampleRows, snapshot: s.win.snapshot})
}

// takeSample asks the question, unless the user does something else by now. While it stands
// the table is not read anew: that could take the place of the one that it is about.
func (s *state) takeSample(a answer) {
	if s.popup != nil || s.prompt != nil || s.acting != "" {
		return
	}
	total := a.page.total
	switch {
	case fault(a.err) == client.FaultSnapshot:
		s.say("the server holds the table no longer that is shown: F5 reads a new one")
		return
	case a.err != nil:
		s.say("cannot count them: %s", troubleOf(a.err))
		return
	case total == 0:
		s.say("none is left that matches")
		return
	case total > client.MaxMatching:
		s.message = ""
		s.popup = &popup{kind: popupText, title: "Too many", lines: []string{
			fmt.Sprintf("%s connections match; from here no more than %s are killed at once.", grouped(total), grouped(client.MaxMatching)),
			"Narrow the filter, or let nuctl kill them in parts:", "", "$ " + killCommand(a.request.query)}}
		return
	}
	s.message = ""
	q := a.request.query
	var names []string
	for _, row := range a.page.rows {
		names = append(names, nameOf(row))
	}
	if more := total - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %s more", grouped(more)))
	}
	title := fmt.Sprintf("Kill all %s that match?", plural(total))
	if total == 1 {
		title = "Kill the only connection that matches?"
	}
	lines := append([]string{title, "filter: " + q.expr, ""}, names...)
	s.popup = &popup{kind: popupText, title: "Kill all", lines: append(lines, "", "$ "+killCommand(q))}
	s.prompt = &prompt{
		kind: promptAll, label: fmt.Sprintf("type %d to kill them: ", total), hint: "what began after this table was read is not meant; Esc: kill nothing",
		yes: request{op: opKillAll, query: q, snapshot: a.page.snapshot, total: total},
	}
}

// killCommand is how nuctl kill asks the same, of a table of its own.
func killCommand(q query) string { return "nuctl kill --matching " + shellQuoted(q.expr) }

// asksAll says whether that question stands.
func (s *state) asksAll() bool { return s.prompt != nil && s.prompt.kind == promptAll }

// submitAll kills if the number is right: a y may be a slip of the hand, a number hardly.
func (s *state) submitAll(text string) {
	yes := s.prompt.yes
	if strings.ReplaceAll(text, ",", "") != strconv.Itoa(yes.total) {
		s.prompt.wrong = fmt.Sprintf("that is not %d; Esc: kill nothing", yes.total)
		return
	}
	s.prompt, s.popup = nil, nil
	s.acting = fmt.Sprintf("killing %s, and watching whether they come back", plural(yes.total))
	s.ask(yes)
}
