// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"strconv"
	"strings"
)

// promptKind says what a line of input is for.
type promptKind int

const (
	promptFilter promptKind = iota + 1
	promptMark
	promptTimeout
	promptPassword
	promptAll
)

// maxTimeout is the longest timeout that the kernel's clock can hold, in seconds.
const maxTimeout = 2147483

// prompt asks for a line of input.
type prompt struct {
	kind    promptKind
	label   string
	initial string
	// hint is what to know before answering.
	hint string
	// wrong is why the line cannot be taken, column the character where, from 1; 0 for none.
	wrong  string
	column int
	// keys and names are the connections that it is about.
	keys, names []string
	// yes is what promptAll asks about.
	yes request
}

func (s *state) askFilter() {
	s.prompt = &prompt{kind: promptFilter, label: "/", initial: s.query.expr,
		hint: "Enter: show these; empty: all; Esc: as before. Such as: tcp and dport 80,443 and rate > 100k"}
}

func (s *state) askMark() {
	if keys, names := s.targets(); len(keys) > 0 {
		s.prompt = &prompt{kind: promptMark, label: "new mark: ", keys: keys, names: names,
			hint: "VALUE or VALUE/MASK, decimal or 0x..., for " + countOf(names)}
	}
}

func (s *state) askTimeout() {
	if keys, names := s.targets(); len(keys) > 0 {
		s.prompt = &prompt{kind: promptTimeout, label: "ends in seconds: ", keys: keys, names: names,
			hint: "CANNOT BE UNDONE, and done only once: the connection ends then, whatever passes: " + countOf(names)}
	}
}

func (s *state) askPassword() {
	s.popup = nil
	s.prompt = &prompt{kind: promptPassword, label: "password: ",
		hint: fmt.Sprintf("%s wants %s to log in again; Esc: quit", s.server, s.who.User)}
}

// typed looks at a line while it is written.
func (s *state) typed(text string) {
	p := s.prompt
	if p == nil || p.kind != promptFilter {
		return
	}
	p.column, p.wrong = checkExpr(text)
}

// submit takes the line. One that is wrong stays, with the reason.
func (s *state) submit(text string) {
	p := s.prompt
	if p == nil {
		return
	}
	text = strings.TrimSpace(text)
	switch p.kind {
	case promptFilter:
		s.submitFilter(text)
	case promptMark:
		number, mask, masked := strings.Cut(text, "/")
		if !markLike(number) || masked && !markLike(mask) {
			p.wrong = "a mark is VALUE or VALUE/MASK, each from 0 to 0xffffffff"
			return
		}
		s.prompt = nil
		s.confirmChange("mark", text, p)
	case promptTimeout:
		seconds, err := strconv.ParseUint(text, 10, 32)
		if err != nil || seconds < 1 || seconds > maxTimeout {
			p.wrong = fmt.Sprintf("a timeout is a number of seconds from 1 to %d", maxTimeout)
			return
		}
		s.prompt = nil
		s.confirmChange("timeout", strconv.FormatUint(seconds, 10), p)
	case promptAll:
		s.submitAll(text)
	case promptPassword:
		s.prompt = nil
		s.say("logging in")
		s.ask(request{op: opLogin, password: text})
	}
}

func (s *state) submitFilter(text string) {
	if s.prompt.column, s.prompt.wrong = checkExpr(text); s.prompt.wrong != "" {
		return
	}
	s.prompt = nil
	if text == s.query.expr {
		return
	}
	q := s.query
	q.expr = text
	s.show(q)
}

// cancel gives a prompt up. Without a password there is nothing to go on with.
func (s *state) cancel() {
	if s.asksPassword() {
		s.quit = true
	}
	if s.asksAll() {
		s.popup = nil
		s.say("nothing was killed")
	}
	s.prompt = nil
}

// markLike says whether a text is a decimal or hexadecimal number of 32 bits.
func markLike(text string) bool {
	digits, base := text, 10
	if rest, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		digits, base = rest, 16
	}
	_, err := strconv.ParseUint(digits, base, 32)
	return err == nil
}

func countOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%d connections", len(names))
}
