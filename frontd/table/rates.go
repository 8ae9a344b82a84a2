// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math"
	"math/bits"
	"time"

	"nuconntrack/frontd/table/ident"
)

// rate gives a new row its bytes a second: since the base when that holds the connection
// with counters too, else since the connection's start, else none.
func (b *builder) rate(row int32, h uint64, id *ident.Ident, at time.Duration) {
	s := b.snap
	has := s.has[row]
	if has&(hasOrigCounters|hasReplCounters) == 0 {
		return
	}
	older, ok := b.older(h, id)
	for dir, bytes := range [2]int{origBytes, replBytes} {
		counters := uint32(hasOrigCounters) << dir
		if has&counters == 0 {
			continue
		}
		moved, span := s.counter[bytes][row], time.Duration(0)
		switch {
		case ok && b.base.has[older]&counters != 0:
			// Another tool may have set the counters back: that is no rate below zero.
			moved -= min(moved, b.base.counter[bytes][older])
			span = b.since + at - b.base.readAt[older/clockRows]
		case has&hasStart != 0 && s.start[row] <= math.MaxInt64:
			span = s.taken.Add(at).Sub(time.Unix(0, int64(s.start[row])))
		}
		if span > 0 {
			s.rate[dir][row] = perSecond(moved, span)
			s.has[row] |= hasOrigRate << dir
		}
	}
}

// older looks the connection up in the base. The kernel walks its table in the same
// order each time, so the row behind the last one found is nearly always the right one,
// and its memory is at hand.
func (b *builder) older(h uint64, id *ident.Ident) (int32, bool) {
	if b.base == nil {
		return 0, false
	}
	row, ok := b.guess, true
	if int(row) >= b.base.Len() || !b.base.is(row, id) {
		row, ok = b.base.find(h, id)
	}
	if ok {
		b.guess = row + 1
	}
	return row, ok
}

// perSecond is bytes over d, which is above zero; at most the largest 64-bit number.
func perSecond(bytes uint64, d time.Duration) uint64 {
	hi, lo := bits.Mul64(bytes, uint64(time.Second))
	if hi >= uint64(d) {
		return math.MaxUint64
	}
	quotient, _ := bits.Div64(hi, lo, uint64(d))
	return quotient
}
