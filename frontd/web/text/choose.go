// SPDX-License-Identifier: GPL-2.0-or-later

package text

import (
	"strconv"
	"strings"
)

// maxHeader bounds how much of an Accept-Language header is read, in bytes. Browsers send less
// than a hundred.
const maxHeader = 1024

// Choose gives the language that a reader wants: the one that he chose, else the one that his
// browser likes best of those that there are (RFC 9110, section 12.5.4, and lookup of RFC 4647: a
// region is left out), else the first.
func Choose(all []*Language, chosen, header string) *Language {
	for _, l := range all {
		if l.Code == chosen {
			return l
		}
	}
	best, weight := all[0], 0.0
	for item := range strings.SplitSeq(header[:min(len(header), maxHeader)], ",") {
		tag, params, _ := strings.Cut(item, ";")
		q := quality(params)
		base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		for _, l := range all {
			// What comes first counts among equals.
			if l.Code == base && q > weight {
				best, weight = l, q
			}
		}
	}
	return best
}

// quality reads "q=0.8"; what is left out counts 1, and what is no weight nothing.
func quality(params string) float64 {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1
	}
	digits, ok := strings.CutPrefix(strings.ToLower(params), "q=")
	q, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
