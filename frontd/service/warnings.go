// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"fmt"

	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ranking"
	"nuconntrack/ipc"
)

// fullShare is how full the kernel's table is when a view warns of it.
const fullShare = 0.95

// Warning is what makes an answer less than it seems.
type Warning struct {
	Kind string // one of WarningKinds
	Text string // in English; the first word is fixed, and says less than Kind
}

// What a Warning can be about.
const (
	WarnAccounting = "accounting" // the kernel counts no bytes
	WarnTimestamps = "timestamps" // the kernel notes no beginnings
	WarnFull       = "full"       // the kernel's table has hardly any room
	WarnCut        = "cut"        // the table was not read to its end
	WarnUnread     = "unread"     // some rows could not be understood
	WarnHidden     = "hidden"     // the configuration leaves connections out
	WarnScope      = "scope"      // the role leaves connections out
)

// WarningKinds are all kinds of warnings.
func WarningKinds() []string {
	return []string{WarnAccounting, WarnTimestamps, WarnFull, WarnCut, WarnUnread, WarnHidden, WarnScope}
}

// warnings says what makes an answer from this table less than it seems. Numbers that are of the
// table as a whole are for those who may see it.
func (c *Call) warnings(snap *table.Snapshot) []Warning {
	whole := c.role.Scope().Whole()
	var all []Warning
	warn := func(kind, text, scoped string, args ...any) {
		if !whole {
			text, args = scoped, nil
		}
		all = append(all, Warning{kind, fmt.Sprintf(text, args...)})
	}
	st := snap.Stats()
	if st.Known&ipc.StatAccounting != 0 && !st.Accounting {
		const off = "accounting: nf_conntrack_acct is off, so connections that begin now have no counters and no rates"
		warn(WarnAccounting, off, off)
	}
	if st.Known&ipc.StatTimestamps != 0 && !st.Timestamps {
		const off = "timestamps: nf_conntrack_timestamp is off, so connections that begin now have no start and no age"
		warn(WarnTimestamps, off, off)
	}
	if st.Known&ipc.StatCount != 0 && st.Known&ipc.StatMax != 0 && st.Max > 0 &&
		float64(st.Count) >= fullShare*float64(st.Max) {
		warn(WarnFull, "full: the kernel holds %d of at most %d connections and drops new ones when there is no room",
			"full: the kernel's table is nearly full, and it drops new connections when there is no room", st.Count, st.Max)
	}
	if snap.Cut() {
		warn(WarnCut, "cut: only the first %d connections were read", "cut: not all connections were read", snap.Len())
	}
	if n := snap.Malformed(); n > 0 {
		warn(WarnUnread, "unread: %d connections could not be understood and are left out",
			"unread: some connections could not be understood and are left out", n)
	}
	if hidden := ranking.Count(snap, c.role.scope) - ranking.Count(snap, c.role.visible); hidden > 0 {
		all = append(all, Warning{WarnHidden, fmt.Sprintf("hidden: %d connections are left out by the configuration", hidden)})
	}
	if !whole {
		// Always, whether there is anything else or not: it must not tell.
		all = append(all, Warning{WarnScope, fmt.Sprintf("hidden: the role %q shows only the connections of its scope", c.role.Name)})
	}
	return all
}
