// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"
	"strings"
)

// ExprNames are the names of the language of one word, in alphabetical order, for who
// completes what is typed.
func ExprNames() []string {
	return slices.DeleteFunc(exprNames(), func(name string) bool { return strings.Contains(name, " ") })
}

// ExprTakesValue says whether a name of the language wants a value behind it. A flag may
// have one, but is a test without.
func ExprTakesValue(name string) bool {
	w, ok := vocabulary{}.Word(strings.ToLower(name))
	return ok && !w.Flag && w.Value == ""
}

// ExprValues are the names that a name's value may have, in lower case; none where values
// are numbers, addresses or texts.
func ExprValues(name string) []string {
	w, ok := vocabulary{}.Word(strings.ToLower(name))
	if !ok || w.Flag || w.Value != "" {
		return nil
	}
	f, _ := exprField(w.Field)
	switch f.Name {
	case "orig_l4proto", "proto":
		var names []string
		for n := range 256 {
			if text := protocolName(uint8(n)); text[0] > '9' {
				names = append(names, text)
			}
		}
		return names
	case "orig_l3proto":
		return []string{"ipv4", "ipv6"}
	case "state":
		return lower(stateNames())
	case "tcp_state":
		return lower(tcpStates)
	}
	return nil
}

// GroupingName gives the field that a name of the language, such as src or dport, stands for
// where connections are grouped; other names stay as they are.
func GroupingName(name string) string {
	if f, ok := FieldNamed(name); ok && f.Groups() {
		return name
	}
	w, ok := vocabulary{}.Word(strings.ToLower(name))
	if !ok || w.Value != "" || w.Not {
		return name
	}
	f, ok := exprField(w.Field)
	if !ok || !f.Groups() {
		return name
	}
	return f.Name
}

func lower(names []string) []string {
	names = slices.Clone(names)
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	return names
}
