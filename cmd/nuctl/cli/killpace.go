// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"math"
	"time"

	"nuconntrack/cmd/nuctl/client"
)

const (
	// firstRate is the rate that is tried before one is known, in connections a second: that of
	// the helper's default policy.
	firstRate = 1000
	// leastRate is how far down the rate is taken to be where nothing at all goes through.
	leastRate = 1
	// surplus is how much more is sent than the known rate lets through. Without any, a rate
	// that has risen would never show.
	surplus = 1.1
	// faster is by how much the rate is taken to be higher when all of a portion went through.
	faster = 2
	// leastPause is the time between portions: the server counts its own waits in seconds.
	leastPause = time.Second
)

// pace finds out how many connections at a time the helper's bucket lets through, from what
// becomes of those that are sent. The zero value stands for a bucket that has refused nothing yet.
type pace struct {
	rate     float64   // a second, that is tried
	measured float64   // a second, of what went through; 0: not known
	empty    time.Time // when the bucket was last seen empty; zero: never
	through  int       // since then
	next     time.Time // the next portion goes no earlier
}

// portion is how many to send now, from 1 to what a call may name.
func (p *pace) portion(now time.Time) int {
	if p.empty.IsZero() {
		return client.MaxTargets
	}
	due := math.Ceil(p.rate*now.Sub(p.empty).Seconds()*surplus) - float64(p.through)
	return int(min(max(due, 1), client.MaxTargets))
}

// sent learns from a portion of n that was sent at began, of which some were refused, to be
// tried again after that time.
func (p *pace) sent(began time.Time, n, refused int, after time.Duration) {
	p.through += n - refused
	switch {
	case refused > 0:
		switch spent := began.Sub(p.empty).Seconds(); {
		case p.empty.IsZero():
			p.rate = firstRate
		case p.through == 0:
			// Somebody else may have spent all of it, and stop.
			p.rate = max(p.rate/2, leastRate)
		case spent > 0:
			p.measured = float64(p.through) / spent
			p.rate = p.measured
		}
		p.empty, p.through, p.next = began, 0, began.Add(max(after, leastPause))
	case !p.empty.IsZero():
		p.rate, p.next = p.rate*faster, began.Add(leastPause)
	}
}
