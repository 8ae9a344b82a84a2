// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"sync"
	"time"
)

// MaxPause bounds the pause after a dump. A dump that hung once must not close
// the table for hours; with a duty so small that longer pauses were needed, the
// share of the time is larger than asked for.
const MaxPause = 10 * time.Minute

// Pause returns how long to leave the kernel's table alone after a dump that
// took d, so that dumps take at most the share duty of the time: d*(1/duty - 1),
// at most MaxPause. A duty of 1 or more means no pause, one that is not above 0
// the longest, as does a d below 0 no pause.
func Pause(d time.Duration, duty float64) time.Duration {
	switch {
	case d <= 0 || duty >= 1:
		return 0
	case !(duty > 0):
		return MaxPause
	}
	return min(seconds(d.Seconds()*(1/duty-1)), MaxPause)
}

// Pacer keeps dumps apart: one at a time, and no more than a share of the time.
// It is told the time, and may be used from many goroutines.
//
// A clock that goes backwards during a dump makes that dump look short; going
// backwards during a pause it makes the pause start again, never longer.
type Pacer struct {
	mu      sync.Mutex
	duty    float64
	running bool
	began   time.Time
	ended   time.Time
	took    time.Duration // of the last dump; 0 before the first
}

// NewPacer returns a pacer for that share of the time, with no dump behind it.
func NewPacer(duty float64) *Pacer { return &Pacer{duty: duty} }

// Set gives another share; it holds for a pause that has begun too.
func (p *Pacer) Set(duty float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.duty = duty
}

// Begin starts a dump, which End must end, or says why not: wait is what is
// left of the pause, or 0 while another dump runs, whose End nobody can foresee.
func (p *Pacer) Begin(now time.Time) (ok bool, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		return false, 0
	}
	if now.Before(p.ended) {
		p.ended = now
	}
	if left := Pause(p.took, p.duty) - now.Sub(p.ended); left > 0 {
		return false, left
	}
	p.running, p.began = true, now
	return true, 0
}

// End ends the dump that Begin started, also one that failed: the kernel worked
// on it all the same. Without a dump it does nothing.
func (p *Pacer) End(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running {
		return
	}
	p.running, p.ended = false, now
	p.took = max(now.Sub(p.began), 0)
}
