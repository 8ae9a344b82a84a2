// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"slices"
	"time"
)

// Severity says how much a finding matters.
type Severity string

// The severities, the worst first.
const (
	Serious Severity = "serious" // answers or kills cannot be relied on
	Warning Severity = "warning" // something is less than it seems
	Note    Severity = "note"    // good to know
	Fine    Severity = "fine"    // looked at, and nothing is wrong
	Unknown Severity = "unknown" // could not be looked at
)

func severities() []Severity { return []Severity{Serious, Warning, Note, Unknown, Fine} }

// Finding is the result of one check.
type Finding struct {
	// Name is a fixed word for the check.
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	// Summary says what was found, Meaning what follows from it.
	Summary string `json:"summary"`
	Meaning string `json:"meaning,omitempty"`
	// Mend are commands that mend it, or words where there is none; Cost is what that costs.
	Mend []string `json:"mend,omitempty"`
	Cost string   `json:"cost,omitempty"`
}

// Facts are what was asked for. Where asking failed, the error's text takes the place.
type Facts struct {
	Server string
	Plain  bool // what is sent crosses a network unencrypted

	User, Role string
	Methods    []string // that the role permits
	WhoamiErr  string

	// Stats are the server's; nil with StatsErr or if the role may not ask.
	Stats    Stats
	StatsErr string

	// ViewErr, if it is not empty, leaves all that follows unknown.
	ViewErr      string
	HelperAway   bool     // the server cannot reach its helper
	Warnings     []string // of the view
	Count        int      // connections that the user may see
	Uncounted    int      // of them without counters; -1 is not known
	Undated      int      // of them without a start; -1 is not known
	Offloaded    int      // -1 is not known
	Asked, Heard time.Time
	Taken        time.Time // by the server's clock, between the two; zero is not known
}

// Stats are the server's statistics; what it does not know is not there.
type Stats interface {
	Number(name string) (uint64, bool)
	Flag(name string) (set, ok bool)
}

// Examine makes all checks. The findings are sorted by severity, the worst first.
func Examine(f Facts) []Finding {
	var all []Finding
	for _, check := range []func(Facts) []Finding{
		encryption, helper, role, scope, accounting, timestamps, loose, fill, buckets, drops, offload, clock, otherWarnings, policy,
	} {
		all = append(all, check(f)...)
	}
	order := severities()
	slices.SortStableFunc(all, func(a, b Finding) int {
		return slices.Index(order, a.Severity) - slices.Index(order, b.Severity)
	})
	return all
}

// IsSerious says whether anything is.
func IsSerious(all []Finding) bool {
	return slices.ContainsFunc(all, func(f Finding) bool { return f.Severity == Serious })
}

func one(f Finding) []Finding { return []Finding{f} }
