// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"nuconntrack/frontd/reason"
)

// maxSuggested is how long a name may be to be compared with others.
const maxSuggested = 24

// Suggest recognizes values without their names, and misspelt names.
func (vocabulary) Suggest(name string) (reason.Reason, bool) {
	if _, err := netip.ParseAddr(name); err == nil {
		return reason.WriteAny.Of(Quoted("host "+name), Quoted("src "+name), Quoted("dst "+name)), true
	}
	if _, err := netip.ParsePrefix(name); err == nil {
		return reason.WriteAny.Of(Quoted("host "+name), Quoted("src "+name), Quoted("dst "+name)), true
	}
	if v, err := strconv.ParseUint(name, 10, 16); err == nil {
		return reason.Write.Of(fmt.Sprintf("\"port %d\"", v)), true
	}
	if _, ok := stateRank(name); ok {
		return reason.Write.Of(Quoted("state " + name)), true
	}
	if _, ok := protocolNumber(name); ok {
		return reason.Write.Of(Quoted("proto " + name)), true
	}
	switch near := nearest(name); len(near) {
	case 0:
		return reason.Reason{}, false
	case 1:
		return reason.Meant.Of(near[0]), true
	default:
		return reason.MeantEither.Of(near[0], near[1]), true
	}
}

// nearest gives the name that is nearest in spelling, or two of which it is the end, as
// bytes is of orig_bytes and repl_bytes.
func nearest(name string) []string {
	if len(name) < 2 || len(name) > maxSuggested {
		return nil
	}
	var ends []string
	best, away := "", min(2, len(name)/2)+1
	for _, known := range exprNames() {
		if strings.HasSuffix(known, "_"+name) && exprIsShort(known) {
			ends = append(ends, known)
		}
		// Few misspell the first letter.
		if d := distance(name, known); d < away || d == away && best != "" && best[0] != name[0] && known[0] == name[0] {
			best, away = known, d
		}
	}
	switch {
	case len(ends) > 0 && away > 1:
		return ends[:min(2, len(ends))]
	case best != "":
		return []string{best}
	}
	return nil
}

// exprIsShort says that a name is the canonical one of its field.
func exprIsShort(name string) bool {
	f, ok := exprField(name)
	return ok && exprName(f) == name
}

// distance is how many letters must be put in, left out, changed or swapped with the next
// to make one word of the other.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range b {
		rows[0][j+1] = j + 1
	}
	for i := range len(a) {
		for j := range len(b) {
			changed := rows[i][j]
			if a[i] != b[j] {
				changed++
			}
			d := min(changed, rows[i][j+1]+1, rows[i+1][j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = d
		}
	}
	return rows[len(a)][len(b)]
}
