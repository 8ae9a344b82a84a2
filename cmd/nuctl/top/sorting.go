// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"slices"
	"strings"
)

// sorting is an order that a letter chooses.
type sorting struct {
	letter rune
	field  string
	// desc: the greatest first, until the letter is pressed again.
	desc bool
	help string
}

// sortings are those of the connections.
func sortings() []sorting {
	return []sorting{
		{'R', "byte_rate", true, "rate"},
		{'O', "orig_counter_bytes", true, "sent (out)"},
		{'I', "repl_counter_bytes", true, "received (in)"},
		{'S', "orig_src", false, "source"},
		{'D', "orig_dst", false, "destination"},
		{'N', "orig_port_dst", false, "destination port number"},
		{'P', "proto", false, "protocol"},
		{'T', "state", false, "state"},
		{'E', "timeout", false, "when it expires"},
		{'M', "mark", true, "mark"},
		{'A', "age", true, "age"},
		{'U', "username", false, "user"},
	}
}

// groupSortings are those of the groups.
func groupSortings() []sorting {
	return []sorting{
		{'R', "byte_rate", true, "rate"},
		{'C', "connections", true, "connections"},
		{'O', "orig_counter_bytes", true, "sent (out)"},
		{'I', "repl_counter_bytes", true, "received (in)"},
		{'V', "value", false, "the value that is grouped by"},
	}
}

// grouping is a field that connections are grouped by.
type grouping struct {
	digit rune
	field string
	title string
	// word is the name of the field in expressions.
	word string
}

func groupings() []grouping {
	return []grouping{
		{'1', "orig_src", "source", "src"},
		{'2', "orig_dst", "destination", "dst"},
		{'3', "orig_port_dst", "destination port", "dport"},
		{'4', "mark", "mark", "mark"},
		{'5', "username", "user", "username"},
	}
}

// sortings are those whose field the server has.
func (s *state) sortings() []sorting {
	return slices.DeleteFunc(sortings(), func(o sorting) bool { return !s.fields[o.field] })
}

// groupings are those whose field the server has, if it groups at all.
func (s *state) groupings() []grouping {
	if !slices.Contains(s.who.Methods, "groups") {
		return nil
	}
	return slices.DeleteFunc(groupings(), func(g grouping) bool { return !s.fields[g.field] })
}

func groupingOf(field string) grouping {
	for _, g := range groupings() {
		if g.field == field {
			return g
		}
	}
	return grouping{field: field, title: field, word: field}
}

// test is the expression for the connections of the group with a value.
func (g grouping) test(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".:_-", r)
	}) || g.field == "username" {
		value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
	}
	return g.word + " " + value
}
