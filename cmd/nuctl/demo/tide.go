// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"math"
	"math/rand/v2"
	"time"
)

const (
	// maxBurst bounds what one connection sends at once in one direction, in bytes.
	maxBurst = 128 << 10
	// maxWander is how far the random part takes a rate from its average, as a factor.
	maxWander = 2.0
)

// tide is a rate that comes and goes: a sine wave, times a factor that wanders at random. The
// zero value never sends more than the least.
type tide struct {
	// average is in bytes per second.
	average float64
	// period is the length of the wave. 0 stands for no wave.
	period time.Duration
	// phase shifts the wave, as a share of the period, so that connections differ.
	phase float64

	wander float64 // logarithm of the factor
}

// burst is how many bytes to send for the time of tick, at the time since the start: between
// least and maxBurst. step, from -1 to 1, is the random part's next move.
func (t *tide) burst(since, tick time.Duration, step float64, least int) int {
	limit := math.Log(maxWander)
	t.wander = min(max(t.wander+step*limit/4, -limit), limit)
	wave := 1.0
	if t.period > 0 {
		wave += 0.9 * math.Sin(2*math.Pi*(since.Seconds()/t.period.Seconds()+t.phase))
	}
	bytes := t.average * tick.Seconds() * wave * math.Exp(t.wander)
	return int(min(max(bytes, float64(least)), maxBurst))
}

// randomStep is a step for burst.
func randomStep() float64 { return 2*rand.Float64() - 1 }

// between is a random duration.
func between(least, most time.Duration) time.Duration {
	return least + rand.N(most-least)
}
