// SPDX-License-Identifier: GPL-2.0-or-later

package top

func (s *state) enter() {
	if s.query.by == "" {
		s.detail()
		return
	}
	if q, ok := s.inGroup(); ok {
		s.show(q)
	}
}

// inGroup is the query for the connections of the group under the cursor; false, with the
// reason on the screen, if there is none.
func (s *state) inGroup() (q query, ok bool) {
	row := s.win.row(s.cursor)
	if row == nil {
		s.say("there is no group under the cursor")
		return query{}, false
	}
	value, ok := row.Text("value")
	if !ok {
		s.say("these connections have no %s: there is no filter for that", groupingOf(s.query.by).title)
		return query{}, false
	}
	q = s.connections()
	q.expr = narrowed(s.query.expr, groupingOf(s.query.by).test(value))
	if _, wrong := checkExpr(q.expr); wrong != "" {
		s.say("no filter can ask for this group: %s", wrong)
		return query{}, false
	}
	return q, true
}

// connections is the query to return to from groups.
func (s *state) connections() query {
	q := query{orderBy: "byte_rate", desc: true}
	if s.back != nil {
		q = *s.back
	}
	q.expr, q.by = s.query.expr, ""
	return q
}

func (s *state) group(g grouping) {
	if s.query.by == "" {
		before := s.query
		s.back = &before
	}
	q := query{expr: s.query.expr, by: g.field, orderBy: s.query.orderBy, desc: s.query.desc}
	if s.query.by == "" {
		q.orderBy, q.desc = "connections", true
	}
	s.show(q)
}

func (s *state) ungroup() {
	if s.query.by != "" {
		s.show(s.connections())
	}
}

func (s *state) clearFilter() {
	if s.query.expr != "" {
		q := s.query
		q.expr = ""
		s.show(q)
	}
}

func (s *state) reverse() {
	q := s.query
	q.desc = !q.desc
	s.show(q)
}

func (s *state) pause() {
	s.paused = !s.paused
	if !s.paused {
		s.lastTry = noTime
		s.tick(s.now)
	}
}

// readNow reads the table at once, also while paused.
func (s *state) readNow() {
	if s.reading.IsZero() {
		s.refresh()
	}
}

func (s *state) warnings() {
	p := &popup{kind: popupText, title: "Warnings", lines: s.win.warnings}
	if len(p.lines) == 0 {
		p.lines = []string{"The server warns of nothing."}
	}
	s.popup = p
}

// toggle marks the connection under the cursor, or unmarks it, and goes on to the next.
func (s *state) toggle() {
	row := s.win.row(s.cursor)
	if s.query.by != "" || row == nil || s.cursorKey == "" {
		s.say("there is no connection under the cursor")
		return
	}
	if s.marks.has(s.cursorKey) {
		s.marks.remove(s.cursorKey)
	} else if !s.marks.add(row) {
		s.say("no more than %d can be marked", maxMarks)
		return
	}
	if s.cursor < s.win.total-1 {
		s.move(s.cursor + 1)
	}
}

// markScreen marks what the user sees.
func (s *state) markScreen() {
	if s.query.by != "" {
		s.say("groups cannot be marked")
		return
	}
	for at := s.top; at < s.top+s.height; at++ {
		if row := s.win.row(at); row != nil && !s.marks.add(row) {
			s.say("no more than %d can be marked", maxMarks)
			return
		}
	}
}

// killOne asks about the connection whose details were shown, whatever is marked.
func (s *state) killOne(p *popup) {
	if s.acting != "" {
		s.say("wait: %s", s.acting)
		return
	}
	name := nameOf(p.row)
	s.question("Kill", "Kill this connection?", request{op: opKill, keys: []string{p.key}, names: []string{name}})
}
