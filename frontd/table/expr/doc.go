// SPDX-License-Identifier: GPL-2.0-or-later

// Package expr reads the language in which people ask for connections, as in
//
//	proto tcp and dst 10.0.0.0/8 and dport 80,443 and not state established and rate > 100k
//
// and writes it in one canonical way. It knows the grammar and nothing else: which names
// there are it asks a Vocabulary, and values stay texts for the caller to understand. Its
// input comes from the network; it must never cost more than its limits allow, and every
// refusal says in which column. docs/expressions.md describes the language for users.
package expr

import (
	"fmt"

	"nuconntrack/frontd/reason"
)

// The limits of an expression. What is beyond is refused, never cut.
const (
	// MaxLength is how many bytes an expression may have, as it was written and in its
	// canonical form, so that the canonical form can always be read again.
	MaxLength = 4096
	// MaxDepth is how many parentheses and nots may stand inside each other.
	MaxDepth = 32
	// MaxTests is how many tests there may be: each is a look at every connection, or four
	// where it asks for any of four addresses. A list of values is one test.
	MaxTests = 64
	// maxShown is how much of a text an error repeats.
	maxShown = 48
)

// Error says what is wrong with an expression, and where.
type Error struct {
	Column int // counted from 1, in characters
	Reason reason.Reason
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %v", e.Column, e.Reason) }

// shown repeats what a caller sent, safely and never at length.
func shown(s string) string {
	if len(s) > maxShown {
		return fmt.Sprintf("%q…", s[:maxShown])
	}
	return fmt.Sprintf("%q", s)
}
