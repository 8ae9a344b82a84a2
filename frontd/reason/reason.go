// SPDX-License-Identifier: GPL-2.0-or-later

// Package reason holds why something that was asked for is not done: mistakes in filters and
// parameters, and refusals. The interface, the command line and the logs say it in English, in
// the words of this package; the page says it in the reader's language, by the kind and with
// the same arguments. It must never decide anything, and knows nothing of those who use it.
// Arguments may be what a client sent: who makes a Reason bounds and quotes them.
package reason

import "fmt"

// A Reason is one sentence: which, and what it names. The zero Reason is none.
type Reason struct {
	Kind Kind
	// Args are numbers and texts, to be written as they are in every language, and Reasons,
	// which are parts of the sentence and have a text in each.
	Args []any
}

// Of makes a Reason with its arguments, in the order in which the sentence names them.
func (k Kind) Of(args ...any) Reason { return Reason{k, args} }

// Error is the sentence in English; "" for the zero Reason.
func (r Reason) Error() string {
	if len(r.Args) == 0 {
		return sentences[r.Kind].english
	}
	return fmt.Sprintf(sentences[r.Kind].english, r.Args...)
}

// Key names the kind in catalogues.
func (k Kind) Key() string { return sentences[k].key }

// English is the sentence with a verb of package fmt for each argument.
func (k Kind) English() string { return sentences[k].english }

// Kinds are all kinds of reasons.
func Kinds() []Kind {
	all := make([]Kind, 0, len(sentences))
	for k := None + 1; int(k) < len(sentences); k++ {
		all = append(all, k)
	}
	return all
}
