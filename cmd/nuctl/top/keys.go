// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"github.com/gdamore/tcell/v2"
)

// binding is a key of the table and what it does.
type binding struct {
	// key is one with a name; letter one that is a character.
	key    tcell.Key
	letter rune
	// shown names the keys in the help; empty: the line before names this one too.
	shown, help string
	// hint is for the line at the bottom; empty: not there.
	hint string
	// rows: not for groups.
	rows bool
	// allowed: nil for always.
	allowed func(*state) bool
	do      func(*state)
}

// bindings is the one list of keys of the table, but for the letters of the sortings and
// the digits of the groupings.
func bindings() []binding {
	return append(viewBindings(), actBindings()...)
}

func viewBindings() []binding {
	by := func(step func(s *state) int) func(*state) {
		return func(s *state) { s.move(s.cursor + step(s)) }
	}
	one := func(*state) int { return 1 }
	screen := func(s *state) int { return s.height }
	negative := func(step func(*state) int) func(*state) int { return func(s *state) int { return -step(s) } }
	return []binding{
		{letter: '?', shown: "? h F1", help: "this help", hint: "? help", do: (*state).help},
		{letter: 'h', do: (*state).help},
		{key: tcell.KeyF1, do: (*state).help},
		{letter: 'q', shown: "q Ctrl-C", help: "quit", do: func(s *state) { s.quit = true }},
		{key: tcell.KeyCtrlC, do: func(s *state) { s.quit = true }},
		{key: tcell.KeyF10, do: func(s *state) { s.quit = true }},
		{key: tcell.KeyUp, shown: "arrows", help: "one line up or down; the connection there is followed", do: by(negative(one))},
		{key: tcell.KeyDown, do: by(one)},
		{key: tcell.KeyPgUp, shown: "PgUp PgDn", help: "one screen up or down (Ctrl-B, Ctrl-F)", do: by(negative(screen))},
		{key: tcell.KeyCtrlB, do: by(negative(screen))},
		{key: tcell.KeyPgDn, do: by(screen)},
		{key: tcell.KeyCtrlF, do: by(screen)},
		{key: tcell.KeyHome, shown: "Home End", help: "to the first line, and stay there; to the last (g, G)", do: (*state).home},
		{letter: 'g', do: (*state).home},
		{key: tcell.KeyEnd, do: func(s *state) { s.move(s.win.total - 1) }},
		{letter: 'G', do: func(s *state) { s.move(s.win.total - 1) }},
		{key: tcell.KeyEnter, shown: "Enter", help: "all about the connection; of a group: its connections", hint: "Enter info", do: (*state).enter},
		{letter: '/', shown: "/ F4", help: "filter by an expression", hint: "/ filter", do: (*state).askFilter},
		{key: tcell.KeyF4, do: (*state).askFilter},
		{letter: 'c', shown: "c", help: "clear the filter: show all", do: (*state).clearFilter},
		{letter: 'r', shown: "r", help: "reverse the order", do: (*state).reverse},
		{letter: 'p', shown: "p", help: "pause, and go on", do: (*state).pause},
		{key: tcell.KeyF5, shown: "F5", help: "read the table now (Ctrl-R)", do: (*state).readNow},
		{key: tcell.KeyCtrlR, do: (*state).readNow},
		{letter: 'w', shown: "w", help: "the server's warnings in full", do: (*state).warnings},
		{letter: '0', shown: "0 Esc", help: "back from groups to connections", do: (*state).ungroup},
		{key: tcell.KeyEscape, do: (*state).ungroup},
	}
}

func actBindings() []binding {
	act := func(s *state) bool { return s.mayKill() || s.mayChange() }
	return []binding{
		{letter: ' ', shown: "Space", help: "mark the connection, or not any more", hint: "Space mark", rows: true, allowed: act, do: (*state).toggle},
		{letter: 'a', shown: "a", help: "mark all on the screen", allowed: act, do: (*state).markScreen},
		{letter: 'u', shown: "u", help: "unmark all", allowed: act, do: func(s *state) { s.marks.clear() }},
		{letter: 'k', shown: "k F9", help: "kill what is marked, else what is under the cursor; asks first", hint: "k kill", rows: true,
			allowed: (*state).mayKill, do: (*state).confirmKill},
		{key: tcell.KeyF9, allowed: (*state).mayKill, do: (*state).confirmKill},
		{letter: 'K', shown: "K", help: "kill all that match the filter, or all of a group; asks for their number", hint: "K kill all",
			allowed: (*state).mayKillAll, do: (*state).askAll},
		{letter: 'm', shown: "m", help: "change the mark of these; asks first", allowed: (*state).mayChange, do: (*state).askMark},
		{letter: 't', shown: "t", help: "fix when these end; asks first, cannot be undone", allowed: (*state).mayChange, do: (*state).askTimeout},
	}
}

// press does what a key is for. Keys that stand for nothing do nothing.
func (s *state) press(key tcell.Key, letter rune) {
	if s.popup != nil {
		s.pressPopup(key, letter)
		return
	}
	for _, b := range bindings() {
		if b.letter != 0 && (key != tcell.KeyRune || b.letter != letter) || b.letter == 0 && b.key != key {
			continue
		}
		if b.allowed == nil || b.allowed(s) {
			b.do(s)
		} else {
			s.say("%s", s.whyNot())
		}
		return
	}
	if key == tcell.KeyRune {
		s.pressOrder(letter)
	}
}

// whyNot explains why the user may not act.
func (s *state) whyNot() string {
	if s.readOnly {
		return "nothing can be changed: started with --read-only"
	}
	return "your role, " + s.who.Role + ", does not permit this"
}

// pressOrder sorts or groups.
func (s *state) pressOrder(letter rune) {
	for _, g := range s.groupings() {
		if g.digit == letter {
			s.group(g)
			return
		}
	}
	list := s.sortings()
	if s.query.by != "" {
		list = groupSortings()
	}
	for _, o := range list {
		if o.letter != letter {
			continue
		}
		q := s.query
		if q.orderBy == o.field {
			q.desc = !q.desc
		} else {
			q.orderBy, q.desc = o.field, o.desc
		}
		s.show(q)
		return
	}
}

// pressPopup is press while a box is open.
func (s *state) pressPopup(key tcell.Key, letter rune) {
	p := s.popup
	switch {
	case key == tcell.KeyCtrlC:
		s.quit = true
	case p.kind == popupConfirm && key == tcell.KeyRune && (letter == 'y' || letter == 'Y'):
		s.agree()
	case key == tcell.KeyUp:
		p.line--
	case key == tcell.KeyDown:
		p.line++
	case key == tcell.KeyPgUp:
		p.line -= s.height
	case key == tcell.KeyPgDn:
		p.line += s.height
	case key == tcell.KeyHome:
		p.line = 0
	case key == tcell.KeyEnd:
		p.line = 1 << 30
	case p.kind == popupConfirm && key == tcell.KeyEnter:
		// Enter answers nothing: who types ahead must not kill.
	case p.kind == popupDetail && key == tcell.KeyRune && letter == 'k' && s.mayKill():
		s.popup = nil
		s.killOne(p)
	case key == tcell.KeyEscape, key == tcell.KeyEnter, key == tcell.KeyRune && (letter == 'q' || letter == 'n' || letter == 'N'):
		s.popup = nil
	}
}
