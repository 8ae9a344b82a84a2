// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"hash/maphash"
	"math"
	"testing"
	"time"

	"nuconntrack/ipc"
)

// readAt builds a snapshot taken then, all its rows read after the delay.
func readAt(t *testing.T, taken time.Time, delay time.Duration, base *Snapshot, seed maphash.Seed, data ...msg) *Snapshot {
	t.Helper()
	b := newBuilder(taken, 1, base, seed)
	if err := b.add(cat(data...), delay); err != nil {
		t.Fatal(err)
	}
	return b.finish("", ipc.DumpEnd{}, delay)
}

func TestRates(t *testing.T) {
	now := time.Now()
	id := target(6, "192.0.2.1", "192.0.2.2", 1)
	other := id
	other.ID++
	absent := [2]int64{-1, -1}
	half := nest(ctaCountersOrig, attr64(ctaCountersPackets, 1), attr64(ctaCountersBytes, 9000))
	tests := []struct {
		name       string
		base       msg
		span       time.Duration // between the two readings' beginnings
		baseDelay  time.Duration
		delay      time.Duration
		now        msg
		want       [2]int64 // -1 is absent
		baseAbsent bool
	}{
		{name: "two seconds", base: conn(id, counters(1, 1000, 1, 50)), span: 2 * time.Second,
			now: conn(id, counters(9, 5000, 1, 50)), want: [2]int64{2000, 0}},
		{name: "read late in the dump", base: conn(id, counters(1, 1000, 1, 0)), span: 2 * time.Second, baseDelay: time.Second, delay: 3 * time.Second,
			now: conn(id, counters(9, 5000, 1, 8)), want: [2]int64{1000, 2}},
		{name: "counters went backwards", base: conn(id, counters(9, 5000, 9, 100)), span: time.Second,
			now: conn(id, counters(1, 10, 9, 300)), want: [2]int64{0, 200}},
		{name: "less than a byte a second", base: conn(id, counters(1, 0, 1, 0)), span: 60 * time.Second,
			now: conn(id, counters(1, 59, 1, 60)), want: [2]int64{0, 1}},
		{name: "whole range", base: conn(id, counters(1, 0, 1, 0)), span: 500 * time.Millisecond,
			now: conn(id, counters(1, math.MaxUint64, 1, math.MaxUint64/4)), want: [2]int64{-2, math.MaxInt64 - 1}},
		{name: "no counters", base: conn(id), span: time.Second, now: conn(id), want: absent},
		{name: "no counters any more", base: conn(id, counters(1, 1, 1, 1)), span: time.Second, now: conn(id), want: absent},
		{name: "no counters before", base: conn(id), span: time.Second, now: conn(id, counters(1, 1, 1, 1)), want: absent},
		{name: "one direction", base: conn(id, half), span: time.Second, now: conn(id, counters(1, 9000, 1, 1)), want: [2]int64{0, -1}},
		{name: "replaced by another", base: conn(other, counters(1, 1, 1, 1)), span: time.Second, now: conn(id, counters(1, 1, 1, 1)), want: absent},
		{name: "new, with timestamps", base: conn(other), span: time.Second,
			now: conn(id, counters(1, 5000, 1, 10), started(now.Add(-5*time.Second))), want: [2]int64{1000, 2}},
		{name: "no base, with timestamps", baseAbsent: true, delay: 5 * time.Second,
			now: conn(id, counters(1, 5000, 1, 10), started(now.Add(-5*time.Second))), want: [2]int64{500, 1}},
		{name: "no base, timestamps without counters", baseAbsent: true, now: conn(id, started(now.Add(-5*time.Second))), want: absent},
		{name: "no base, no timestamps", baseAbsent: true, now: conn(id, counters(1, 5000, 1, 10)), want: absent},
		{name: "started in the future", baseAbsent: true, now: conn(id, counters(1, 5000, 1, 10), started(now.Add(time.Hour))), want: absent},
		{name: "started now", baseAbsent: true, now: conn(id, counters(1, 5000, 1, 10), started(now)), want: absent},
		{name: "started beyond all time", baseAbsent: true, want: absent,
			now: conn(id, counters(1, 5000, 1, 10), nest(ctaTimestamp, attr64(ctaTimestampStart, math.MaxUint64)))},
		{name: "since the base before since the start", base: conn(id, counters(1, 1000, 1, 0)), span: time.Second,
			now: conn(id, counters(1, 1000, 1, 0), started(now.Add(-5*time.Second))), want: [2]int64{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seed := maphash.MakeSeed()
			var base *Snapshot
			if !tt.baseAbsent {
				base = readAt(t, now.Add(-tt.span), tt.baseDelay, nil, seed, tt.base)
			}
			s := readAt(t, now, tt.delay, base, seed, tt.now)
			for dir, want := range tt.want {
				has := s.has[0]&(hasOrigRate<<dir) != 0
				if want == -2 {
					want = -1 // the largest number
				} else if has != (want >= 0) {
					t.Errorf("rate %d is there: %t", dir, has)
				}
				if got := s.rate[dir][0]; has && got != uint64(want) {
					t.Errorf("rate %d = %d, want %d", dir, got, uint64(want))
				}
			}
		})
	}
}

// The rows of two dumps are joined whatever their order, with connections that came and
// went between them.
func TestRatesJoin(t *testing.T) {
	now, seed := time.Now(), maphash.MakeSeed()
	ids := func(i int) ipc.Target { return target(6, "192.0.2.1", "192.0.2.2", i) }
	var before, after []msg
	for i := range 3000 {
		if i%7 != 0 {
			before = append(before, conn(ids(i), counters(0, 0, 0, 0)))
		}
	}
	for i := range 3000 {
		if j := i ^ 5; j%11 != 0 {
			after = append(after, conn(ids(j), counters(0, uint64(j), 0, 0)))
		}
	}
	base := readAt(t, now.Add(-time.Second), 0, nil, seed, before...)
	s := readAt(t, now, 0, base, seed, after...)
	if s.Len() < 2000 {
		t.Fatalf("%d rows", s.Len())
	}
	for row := range int32(s.Len()) {
		i := int(s.port[origSrc][row])
		has := s.has[row]&hasOrigRate != 0
		if has != (i%7 != 0) || has && s.rate[0][row] != uint64(i) {
			t.Errorf("connection %d: rate %d, %t", i, s.rate[0][row], has)
		}
	}
}
