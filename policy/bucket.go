// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"math"
	"sync"
	"time"
)

// Never is the wait for what no wait will bring.
const Never = time.Duration(math.MaxInt64)

// tokenSlack absorbs the rounding of a sum of fractions, so that a caller who
// waits exactly as long as told is not told to wait a nanosecond more.
const tokenSlack = 1e-6

// maxSkew is how far callers who look at the clock in one order, and come in another, may
// be apart. That is no clock that goes backwards: counting from the earlier time would
// count the time between the two twice, and whoever asks from many sides at once would be
// given more than the rate.
const maxSkew = time.Second

// Bucket is a token bucket that is told the time. It may be used from many
// goroutines.
//
// A clock that goes backwards does no harm: no tokens come or go by it, and
// counting goes on from the earlier time.
type Bucket struct {
	mu     sync.Mutex
	rate   float64 // tokens a second
	burst  float64
	tokens float64
	last   time.Time // when tokens was right
}

// NewBucket returns a full bucket that holds burst tokens and gains rate tokens
// a second. A rate that is not above 0 means that it never gains any, a burst
// below 1 that it never holds any.
func NewBucket(rate float64, burst int, now time.Time) *Bucket {
	b := &Bucket{last: now}
	b.Set(rate, burst)
	b.tokens = b.burst
	return b
}

// Set gives the bucket another rate and size. Tokens beyond the new size are
// lost; a larger size fills at the new rate, so that setting cannot be used to
// get a burst for nothing. Time since the last call of Take counts at the new
// rate.
func (b *Bucket) Set(rate float64, burst int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !(rate > 0) || math.IsInf(rate, 1) {
		rate = 0
	}
	b.rate = rate
	b.burst = float64(max(burst, 0))
	b.tokens = min(b.tokens, b.burst)
}

// Take takes one token. Where there is none it takes nothing and says after
// which time there will be one if nobody else takes it.
func (b *Bucket) Take(now time.Time) (ok bool, retryAfter time.Duration) {
	return b.TakeN(now, 1)
}

// TakeN takes n tokens or none. More than the bucket can hold are never had,
// and retryAfter is then Never; n below 1 is always had.
func (b *Bucket) TakeN(now time.Time, n int) (ok bool, retryAfter time.Duration) {
	if n < 1 {
		return true, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := now.Sub(b.last)
	if gone > 0 {
		b.tokens = min(b.tokens+gone.Seconds()*b.rate, b.burst)
	}
	if gone > 0 || gone < -maxSkew {
		b.last = now
	}
	want := float64(n)
	if b.tokens >= want-tokenSlack {
		b.tokens = max(b.tokens-want, 0)
		return true, 0
	}
	if want > b.burst || b.rate == 0 {
		return false, Never
	}
	return false, seconds((want - b.tokens) / b.rate)
}

// seconds returns s rounded up to nanoseconds; what no Duration holds is Never.
func seconds(s float64) time.Duration {
	ns := math.Ceil(s * 1e9)
	if !(ns < math.MaxInt64) {
		return Never
	}
	return time.Duration(ns)
}
