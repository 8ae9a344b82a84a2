// SPDX-License-Identifier: GPL-2.0-or-later

package top

// move puts the cursor elsewhere; the connection there is followed from now on.
func (s *state) move(to int) {
	s.cursor = to
	s.follow = true
	s.settle()
	s.choose()
}

// home goes to the first row and stays there, whichever connection it is.
func (s *state) home() {
	s.move(0)
	s.follow = false
}

// settle keeps cursor and screen within the table and each other, and fetches what shows.
func (s *state) settle() {
	s.cursor = max(min(s.cursor, s.win.total-1), 0)
	s.top = max(min(s.top, s.win.total-s.height), 0)
	if s.cursor < s.top {
		s.top = s.cursor
	}
	if s.cursor >= s.top+s.height {
		s.top = s.cursor - s.height + 1
	}
	s.fetch()
}

// choose takes note of what is under the cursor, if that is known yet.
func (s *state) choose() {
	if row := s.win.row(s.cursor); row != nil {
		s.cursorKey, s.cursorName = keyOf(row), nameOf(row)
		return
	}
	s.cursorKey, s.cursorName = "", ""
}

// again finds the chosen connection in a new table. Its line on the screen stays where it is as
// far as possible; one that is not in sight leaves the cursor where it was, and that is said:
// whatever the user does next, he does to another connection.
func (s *state) again() {
	at, held := s.win.place(s.cursorKey)
	switch {
	case s.cursorKey == "" || !s.follow:
	case held:
		s.cursor = at
	default:
		s.say("gone or moved away: %s", s.cursorName)
	}
	s.settle()
	s.choose()
}
