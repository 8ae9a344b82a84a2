// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"maps"
	"slices"

	"nuconntrack/cmd/nuctl/client"
)

// reportLines tells the sum first and what to do about the rest, then what went wrong, then
// what went well, as far as somebody would read it.
func reportLines(a answer, done string) []string {
	good, bad := 0, map[string]int{}
	var lines, fine []string
	for _, r := range a.reports {
		list := &lines
		if r.ended {
			good++
			list = &fine
		} else {
			bad[r.outcome]++
		}
		if len(*list) < maxReportLines {
			text := fmt.Sprintf("%-10s %s", r.outcome, r.name)
			if r.detail != "" {
				text += ": " + r.detail
			}
			*list = append(*list, text)
		}
	}
	sum := fmt.Sprintf("%s of %s %s", grouped(good), grouped(a.request.count()), done)
	for _, outcome := range slices.Sorted(maps.Keys(bad)) {
		sum += fmt.Sprintf(", %s %s", grouped(bad[outcome]), outcome)
	}
	switch {
	case a.err != nil && fault(a.err) == 0:
		// The call may have arrived although its answer did not.
		sum += ", as far as is known: " + troubleOf(a.err)
	case a.err != nil:
		sum += ": " + troubleOf(a.err)
	}
	head := append([]string{sum}, advice(a)...)
	all := slices.Concat(head, []string{""}, lines, fine)
	if left := len(a.reports) - len(lines) - len(fine); left > 0 {
		all = append(all, fmt.Sprintf("and %s more", grouped(left)))
	}
	return all
}

// advice says what to do about those that were not killed, once for each reason.
func advice(a answer) []string {
	if fault(a.err) == client.FaultSnapshot {
		return []string{"The table that you were asked about is gone. Nothing was killed: F5, and the same again."}
	}
	var lines []string
	for _, known := range []struct{ outcome, text string }{
		{client.OutcomeReturned, "What came back was made anew by its next packet: 'nuctl doctor' says how to stop that for TCP."},
		{client.OutcomeForbidden, "What is forbidden by the helper's policy, its administrator may permit. The connection that " +
			"nuctl top itself came in on is never cut from here: 'nuctl kill --force KEY' does, from another terminal."},
		{client.OutcomeProtected, "What is protected, the helper's policy keeps from everybody."},
		{client.OutcomeFailed, "What failed is still there, and can be tried again once the reason below is gone."},
		{client.OutcomeReplaced, "What was replaced is another connection of the same addresses: mark and kill that one."},
	} {
		if slices.ContainsFunc(a.reports, func(r report) bool { return r.outcome == known.outcome }) {
			lines = append(lines, known.text)
		}
	}
	return lines
}
