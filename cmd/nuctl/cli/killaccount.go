// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"fmt"

	"nuconntrack/cmd/nuctl/client"
)

// leftovers are the reports on what is left, or lost.
func (q *killQueue) leftovers() []client.Report {
	reports := make([]client.Report, 0, len(q.lost)+len(q.left))
	for _, d := range q.lost {
		reports = append(reports, d.failed("the server's answer is missing: it may have been done all the same"))
	}
	for _, d := range q.left {
		why := "it was not tried"
		if d.tried {
			why = q.why
		}
		reports = append(reports, d.failed(why))
	}
	return reports
}

// failed is a report of our own.
func (d doomed) failed(why string) client.Report {
	r := client.Report{ID: d.id, Outcome: client.OutcomeFailed, Detail: why}
	if fieldOf(d.name) == "id" {
		r.ID = d.name
	} else {
		r.Key = d.name
	}
	return r
}

// accounted adds to the error of work that was ended half done how much of it was.
func (q *killQueue) accounted(err error) error {
	r := q.report
	done := r.killed + r.gone
	left := q.total - done - q.missing
	if err == nil || q.missing == q.total || left == q.total && q.since.IsZero() {
		return err
	}
	text := fmt.Sprintf("%d of %s killed or gone, %d not", done, plural(q.total), left)
	untried := 0
	for _, d := range q.left {
		if !d.tried {
			untried++
		}
	}
	if untried > 0 {
		text += fmt.Sprintf(", %d of them not tried", untried)
	}
	if q.missing > 0 {
		text += fmt.Sprintf("; the server's answer on %d is missing: they may have been killed all the same, 'nuctl list' shows what is left", q.missing)
	}
	return &lostError{err, text}
}
