// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"fmt"
	"time"

	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
)

const (
	// firstWatch is how long after the kills the table is read for the first time; the times
	// between readings double from there. What comes back mostly does so with the next packet.
	firstWatch = 100 * time.Millisecond
	// watchReading bounds the readings of one watch together, behind the time to watch.
	watchReading = 30 * time.Second
)

// watched is a connection that was killed and is not back yet.
type watched struct {
	target ipc.Target
	report *Report
}

// watch reads the table until all that were killed are back or the time is over, with the
// last reading at its end. Back is what has the same original direction, or the reply's as
// its original one: the kernel made a new connection of the next packet that came, from
// whichever end, and whatever its id and its replies are now.
func (c *Call) watch(ctx context.Context, targets []found, reports []Report, span time.Duration) {
	var left []watched
	for i := range reports {
		if reports[i].Outcome == OutcomeKilled {
			left = append(left, watched{targets[i].target, &reports[i]})
		}
	}
	if len(left) == 0 || span <= 0 {
		return
	}
	all := left
	began := time.Now() // the kills are done
	end := began.Add(span)
	ctx, cancel := context.WithDeadline(ctx, end.Add(watchReading))
	defer cancel()
	for pause := firstWatch; len(left) > 0; {
		sleep(ctx, min(pause, time.Until(end)))
		if ctx.Err() != nil {
			return // nobody is there to read it
		}
		last := !time.Now().Before(end)
		snap, err := c.s.tables.Fresh(ctx, time.Now())
		if err != nil {
			f := c.helperFault("watch", err)
			for _, w := range left {
				w.report.Detail = "whether it came back is not known: " + f.Text
			}
			return
		}
		if left = c.stillGone(snap, left, time.Since(began)); last {
			break
		}
		// A table that takes long to read is not read all the time.
		pause = max(2*pause, 2*snap.Spent())
	}
	c.s.tally(all)
}

// Tally is what became of all connections that were watched to the end since the daemon started.
type Tally struct{ Watched, Returned uint64 }

// Watched tells how often what was killed came back.
func (s *Service) Watched() Tally {
	return Tally{Watched: s.watched.Load(), Returned: s.returned.Load()}
}

// tally counts connections, not names: one may have been named twice.
func (s *Service) tally(all []watched) {
	seen := make(map[ipc.Target]bool, len(all))
	for _, w := range all {
		if seen[w.target] {
			continue
		}
		seen[w.target] = true
		s.watched.Add(1)
		if w.report.Outcome == OutcomeReturned {
			s.returned.Add(1)
		}
	}
}

// stillGone tells of those that are back, and within what time, and gives the others.
func (c *Call) stillGone(snap *table.Snapshot, all []watched, within time.Duration) (left []watched) {
	tenths := (within + 100*time.Millisecond - 1) / (100 * time.Millisecond) // rounded up: it was no later
	targets := make([]ipc.Target, 2*len(all))
	for i, w := range all {
		turned := w.target
		turned.Orig, turned.Reply = turned.Reply, turned.Orig
		targets[i], targets[len(all)+i] = w.target, turned
	}
	rows := snap.WithOrigin(targets, c.role.scope)
	for i := range all {
		row := max(rows[i], rows[len(all)+i])
		if row < 0 {
			left = append(left, all[i])
			continue
		}
		all[i].report.Outcome = OutcomeReturned
		all[i].report.Detail = fmt.Sprintf("it was killed and there again within %d.%d s, with the key %s", tenths/10, tenths%10, snap.Key(row))
	}
	return left
}

// sleep waits; it ends early with ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
