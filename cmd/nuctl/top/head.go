// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"nuconntrack/cmd/nuctl/output"
)

// head says where this comes from, how much there is, how old it is and what it shows.
func (v *view) head(p painter, s *state) {
	p.both(0, v.theme.title, fmt.Sprintf("nuctl top  %s at %s", identity(s), output.Clean(s.server)), counts(s))

	text, style := freshness(s, v.theme)
	p.both(1, style, text, attention(s))
	p.line(2, v.theme.plain, shown(s))
	if n := len(s.win.warnings); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf("  (w: %d more)", n-1)
		}
		text := cut("WARNING "+output.Clean(s.win.warnings[0]), p.width-len(more), v.theme.ellipsis)
		p.line(3, v.theme.caution, text+more)
	}
}

func identity(s *state) string {
	text := output.Clean(s.who.User)
	if s.who.Role != "" {
		text += " (" + output.Clean(s.who.Role) + ")"
	}
	if s.readOnly || !s.mayKill() && !s.mayChange() {
		text += " read-only"
	}
	return text
}

// counts says how many of how many connections these are.
func counts(s *state) string {
	switch {
	case !s.read:
		return ""
	case s.query.by != "":
		return fmt.Sprintf("%s groups of %s connections", grouped(s.win.total), grouped(s.win.matching))
	case s.win.total == s.win.count:
		return grouped(s.win.count) + " connections"
	}
	return fmt.Sprintf("%s of %s connections", grouped(s.win.total), grouped(s.win.count))
}

// freshness says in words when the table was read, and why it is not newer.
func freshness(s *state, t theme) (string, tcell.Style) {
	read := "not read yet"
	if at, ok := clock(s.win.taken); ok && s.read {
		read = "read at " + at.Format("15:04:05")
	} else if s.read {
		read = "read at " + s.lastRead.Format("15:04:05")
	}
	waited := s.now.Sub(s.reading)
	switch {
	case s.trouble != "":
		age := ""
		if s.read {
			age = fmt.Sprintf(", %s ago", output.Seconds(uint64(max(s.now.Sub(s.lastRead), 0).Seconds())))
		}
		return fmt.Sprintf("STALE: %s%s: %s", read, age, output.Clean(s.trouble)), t.bad
	case !s.reading.IsZero() && waited >= slowAfter:
		return fmt.Sprintf("SLOW: %s, waiting for an answer for %s", read, output.Seconds(uint64(waited.Seconds()))), t.caution
	case s.asksAll():
		return "HELD: " + read + ", until you have answered", t.caution
	case s.paused:
		return "PAUSED: " + read + ", p goes on", t.caution
	}
	return fmt.Sprintf("%s, every %v", read, s.interval), t.plain
}

// attention is what must not be overlooked.
func attention(s *state) string {
	var notes []string
	if n := s.marks.count(); n > 0 {
		notes = append(notes, fmt.Sprintf("%d marked", n))
	}
	if s.acting != "" {
		notes = append(notes, s.acting)
	}
	return strings.Join(notes, ", ")
}

// shown says what the table shows, in which order.
func shown(s *state) string {
	text := "all connections"
	if s.query.expr != "" {
		text = "filter: " + output.Clean(s.query.expr)
	}
	if s.query.by != "" {
		text = "by " + groupingOf(s.query.by).title + ", " + text
		if s.read {
			text += "; together " + output.Together(s.win.all)
		}
		if s.win.without > 0 {
			text += fmt.Sprintf("; %s without %s", grouped(s.win.without), groupingOf(s.query.by).title)
		}
	}
	return text
}

// grouped writes a number with a comma between thousands.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// foot says what the keys do, what has just happened, and how the command line shows the same.
func (v *view) foot(p painter, s *state, height int) {
	p.both(height-3, v.theme.title, output.Clean(s.message), place(s))
	p.line(height-2, v.theme.plain, "$ "+output.Clean(s.query.command()))
	p.line(height-1, v.theme.header, s.hints(p.width))
}

// place says which lines are on the screen.
func place(s *state) string {
	if s.win.total == 0 {
		return ""
	}
	return fmt.Sprintf("line %s of %s", grouped(s.cursor+1), grouped(s.win.total))
}
