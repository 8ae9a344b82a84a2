// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"nuconntrack/frontd/table"
)

// help opens the help, without the keys that this user has no use for.
func (s *state) help() {
	var lines []string
	for _, b := range bindings() {
		if b.shown != "" && (b.allowed == nil || b.allowed(s)) {
			lines = append(lines, fmt.Sprintf("%-10s %s", b.shown, b.help))
		}
	}
	lines = append(lines, "", "Sort by (the same letter again reverses):")
	for _, o := range s.sortings() {
		lines = append(lines, fmt.Sprintf("%-10c %s", o.letter, o.help))
	}
	lines = append(lines, "", "Group by (the letters sort groups too; C connections, V value):")
	for _, g := range s.groupings() {
		lines = append(lines, fmt.Sprintf("%-10c %s", g.digit, g.title))
	}
	lines = append(lines, "",
		"Signs: * marked; - not known to the kernel; ! a timeout that is fixed;",
		"-> what address translation makes of it; k, M, G powers of 1000.", "")
	lines = append(lines, strings.Split(table.ExprHelp(), "\n")...)
	s.popup = &popup{kind: popupText, title: "Help", lines: lines}
}

// hints are the keys for the line at the bottom, as many as it has room for: those that are
// hardest to do without.
func (s *state) hints(width int) string {
	if s.popup != nil {
		return s.popupHints()
	}
	parts := []string{}
	for _, b := range bindings() {
		switch {
		case b.hint == "" || b.allowed != nil && !b.allowed(s) || b.rows && s.query.by != "":
		case b.key == tcell.KeyEnter && s.query.by != "":
			parts = append(parts, "Enter its connections", "Esc back")
		default:
			parts = append(parts, b.hint)
		}
	}
	pause := "p pause"
	if s.paused {
		pause = "p go on"
	}
	if len(s.groupings()) > 0 {
		parts = append(parts, "1-5 group")
	}
	parts = append(parts, "q quit", pause, "R S D.. sort")
	for len(parts) > 1 && len(strings.Join(parts, "  ")) > width {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, "  ")
}

func (s *state) popupHints() string {
	switch s.popup.kind {
	case popupConfirm:
		return "y: yes, do it   n or Esc: no"
	case popupDetail:
		if s.mayKill() {
			return "Esc: back   k: kill it   arrows: scroll"
		}
	}
	return "Esc: back   arrows: scroll"
}
