// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"testing"
)

// TestSummary: every connection counts once, under a name that there is, however odd the table.
func TestSummary(t *testing.T) {
	s := randomRows(5000, 3)
	for i := range s.state {
		if i%7 == 0 {
			s.has[i] |= hasTCPState
			s.state[i], s.proto[i] = uint8(i), uint8(i/7) // also states and protocols without a name
		}
	}
	known := map[string]bool{"": true, otherName: true}
	for _, name := range stateNames() {
		known[name] = true
	}
	protocols := map[string]bool{}
	for _, name := range Protocols() {
		protocols[name] = true
	}
	total, seen := 0, map[Tally]bool{}
	for _, k := range s.Summary() {
		total += k.Count
		k.Count = 0
		if seen[k] || !known[k.State] || !protocols[k.Protocol] || k.Family != "ipv4" && k.Family != "ipv6" {
			t.Errorf("%+v: twice, or by an unknown name", k)
		}
		seen[k] = true
	}
	if total != s.Len() {
		t.Errorf("%d connections of %d", total, s.Len())
	}
	if len(randomRows(0, 1).Summary()) != 0 {
		t.Error("an empty table has connections")
	}
}
