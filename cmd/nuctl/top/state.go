// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"nuconntrack/cmd/nuctl/client"
)

// state is what is shown and what comes next. It changes by press, submit, take, resize and
// tick only, and never waits. Not safe for concurrent use.
type state struct {
	server   string
	who      client.Identity
	readOnly bool
	fields   map[string]bool // those that the server has
	interval time.Duration
	now      time.Time

	query query
	back  *query // to return to from groups
	win   window
	read  bool // there is a table at all

	// top is the place of the first row on the screen, cursor that of the chosen row, and
	// height how many rows the screen has.
	top, cursor, height int
	// cursorKey is the connection under the cursor. It is followed when others take its place,
	// once the user has chosen it (follow): who only looks wants to see the top of the table.
	cursorKey, cursorName string
	follow                bool
	marks                 marks

	paused bool
	// reading is when the request for a fresh table was made; zero when there is none.
	// scrolling says that one for other rows is under way.
	reading   time.Time
	scrolling bool
	// scrollAfter is when rows may be asked for again after that has failed.
	scrollAfter time.Time
	// lastTry is when the last reading ended, lastRead when one last went well.
	lastTry, lastRead time.Time
	// trouble is why the table is not fresh.
	trouble string
	// refused: the server takes our password no longer. It is not asked again and again, which
	// could lock the user out, but the user is.
	refused bool
	// acting says what is being done to connections, empty for nothing.
	acting string

	message   string
	messageAt time.Time

	prompt *prompt
	popup  *popup
	quit   bool

	out []request
}

// newState is the state before the first table.
func newState(c Config) *state {
	q := query{expr: c.Expr, orderBy: cmp.Or(c.OrderBy, "byte_rate"), desc: c.Descending}
	if c.OrderBy == "" {
		q.desc = true
	}
	return &state{
		server: c.Server, who: c.Identity, readOnly: c.ReadOnly, interval: cmp.Or(c.Interval, DefaultInterval),
		query: q, height: 1, fields: known(c.Fields),
	}
}

func known(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// may says whether the user may call a method that acts.
func (s *state) may(method string) bool {
	return !s.readOnly && slices.Contains(s.who.Methods, method)
}

func (s *state) mayKill() bool    { return s.may("kill_report") }
func (s *state) mayKillAll() bool { return s.may("kill_matching") }
func (s *state) mayChange() bool  { return s.may("change") }

// requests gives what is to be asked, once.
func (s *state) requests() []request {
	out := s.out
	s.out = nil
	return out
}

func (s *state) ask(r request) { s.out = append(s.out, r) }

func (s *state) say(format string, args ...any) {
	s.message, s.messageAt = fmt.Sprintf(format, args...), s.now
}

// tick says what time it is; it begins a reading when one is due.
func (s *state) tick(now time.Time) {
	s.now = now
	if s.message != "" && now.Sub(s.messageAt) > messageTime {
		s.message = ""
	}
	if s.refused {
		if s.prompt == nil {
			s.askPassword()
		}
		return
	}
	due := s.lastTry.IsZero() || now.Sub(s.lastTry) >= s.interval
	if due && !s.paused && !s.asksAll() && s.reading.IsZero() {
		s.refresh()
	}
}

// refresh asks for a fresh table.
func (s *state) refresh() {
	start, length := around(s.top, s.height)
	s.reading = s.now
	s.ask(request{op: opRefresh, query: s.query, start: start, length: length})
}

// fetch asks for rows that the screen, or soon the user, lacks.
func (s *state) fetch() {
	ahead := s.height
	if s.scrolling || !s.read || s.now.Before(s.scrollAfter) || !s.win.lacks(s.top-ahead, s.top+s.height+ahead) {
		return
	}
	start, length := around(s.top, s.height)
	s.scrolling = true
	s.ask(request{op: opScroll, query: s.query, start: start, length: length, snapshot: s.win.snapshot})
}

// resize says how many rows fit on the screen.
func (s *state) resize(rows int) {
	s.height = max(rows, 1)
	s.settle()
}

// show begins to show something else. Answers for what was shown before are of no use then.
func (s *state) show(q query) {
	if q.by != s.query.by {
		s.win, s.read = window{}, false
	}
	s.query = q
	s.top, s.cursor, s.follow, s.cursorKey = 0, 0, false, ""
	s.scrolling = false
	s.refresh()
}

func (s *state) asksPassword() bool { return s.prompt != nil && s.prompt.kind == promptPassword }
