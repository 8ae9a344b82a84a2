// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func TestBucket(t *testing.T) {
	type take struct {
		at, n int // milliseconds, tokens
		ok    bool
		retry time.Duration
	}
	tests := []struct {
		name  string
		rate  float64
		burst int
		takes []take
	}{
		{"burst, then the rate", 10, 2, []take{
			{0, 1, true, 0}, {0, 1, true, 0}, {0, 1, false, 100 * time.Millisecond},
			{40, 1, false, 60 * time.Millisecond}, {100, 1, true, 0}, {100, 1, false, 100 * time.Millisecond},
		}},
		{"no more than the burst is saved", 1000, 3, []take{
			{0, 3, true, 0}, {3600_000, 3, true, 0}, {3600_000, 1, false, time.Millisecond},
		}},
		{"all or nothing", 10, 10, []take{
			{0, 8, true, 0}, {0, 5, false, 300 * time.Millisecond}, {0, 2, true, 0},
		}},
		{"more than it holds", 10, 10, []take{{0, 11, false, Never}, {0, 10, true, 0}}},
		{"nothing costs nothing", 10, 1, []take{{0, 1, true, 0}, {0, 0, true, 0}, {0, -5, true, 0}, {0, 1, false, 100 * time.Millisecond}}},
		{"clock goes back", 10, 2, []take{
			{5000, 2, true, 0}, {1000, 1, false, 100 * time.Millisecond}, {1100, 1, true, 0}, {1100, 1, false, 100 * time.Millisecond},
		}},
		{"no rate", 0, 1, []take{{0, 1, true, 0}, {3600_000, 1, false, Never}}},
		{"negative rate", -5, 1, []take{{0, 1, true, 0}, {3600_000, 1, false, Never}}},
		{"rate not a number", math.NaN(), 1, []take{{0, 1, true, 0}, {3600_000, 1, false, Never}}},
		{"infinite rate", math.Inf(1), 1, []take{{0, 1, true, 0}, {3600_000, 1, false, Never}}},
		{"no burst", 10, 0, []take{{0, 1, false, Never}, {3600_000, 1, false, Never}}},
		{"rate close to nothing", 1e-300, 1, []take{{0, 1, true, 0}, {0, 1, false, Never}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBucket(tt.rate, tt.burst, start())
			for i, s := range tt.takes {
				ok, retry := b.TakeN(start().Add(time.Duration(s.at)*time.Millisecond), s.n)
				if diff := retry - s.retry; ok != s.ok || diff < -time.Microsecond || diff > time.Microsecond {
					t.Fatalf("step %d: got %t, %v; want %t, %v", i, ok, retry, s.ok, s.retry)
				}
			}
		})
	}
}

// TestBucketKeepsItsPromises: whoever waits as long as told is served, and over
// a long time nobody gets more than burst + rate * time.
func TestBucketKeepsItsPromises(t *testing.T) {
	for _, rate := range []float64{0.001, 0.3, 1, 7, 333.3, 1e6} {
		now, taken := start(), 0
		b := NewBucket(rate, 5, now)
		for range 2000 {
			ok, retry := b.Take(now)
			if !ok {
				now = now.Add(retry)
				if ok, again := b.Take(now); !ok {
					t.Fatalf("rate %v: waited %v and was told to wait %v more", rate, retry, again)
				}
			}
			taken++
		}
		if most := 5 + rate*now.Sub(start()).Seconds(); float64(taken) > most+0.1 {
			t.Errorf("rate %v: %d tokens in %v, at most %v", rate, taken, now.Sub(start()), most)
		}
	}
}

// TestBucketOutOfOrder: callers on many goroutines look at the clock before they come to the
// bucket, and may come in another order. Nobody gets tokens by that.
func TestBucketOutOfOrder(t *testing.T) {
	const rate, skew = 1000, 5 * time.Millisecond
	b := NewBucket(rate, 20, start())
	taken, now := 0, start()
	for range 10_000 {
		now = now.Add(10 * time.Microsecond)
		for _, at := range []time.Time{now, now.Add(-skew)} {
			if ok, _ := b.Take(at); ok {
				taken++
			}
		}
	}
	if most := 20 + rate*now.Sub(start()).Seconds(); float64(taken) > most+1 {
		t.Errorf("%d tokens in %v, at most %v", taken, now.Sub(start()), most)
	}
}

func TestBucketSet(t *testing.T) {
	b := NewBucket(1, 10, start())
	b.Set(1, 100)
	if ok, retry := b.TakeN(start(), 11); ok || retry != time.Second {
		t.Errorf("a larger size gave tokens for nothing: %t, %v", ok, retry)
	}
	b.Set(1, 3)
	if ok, _ := b.TakeN(start(), 4); ok {
		t.Error("a smaller size left old tokens")
	}
	if ok, _ := b.TakeN(start(), 3); !ok {
		t.Error("a smaller size took too many tokens away")
	}
	b.Set(100, 3)
	if ok, retry := b.Take(start()); ok || retry != 10*time.Millisecond {
		t.Errorf("after a new rate: %t, %v", ok, retry)
	}
}

func TestBucketIsSafeForConcurrentUse(t *testing.T) {
	b := NewBucket(1, 100, start())
	var got atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if ok, _ := b.Take(start()); ok {
					got.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got.Load() != 100 {
		t.Errorf("%d tokens from a bucket of 100", got.Load())
	}
}

func TestPause(t *testing.T) {
	for _, tt := range []struct {
		name string
		took time.Duration
		duty float64
		want time.Duration
	}{
		{"half", 2 * time.Second, 0.5, 2 * time.Second},
		{"a quarter", time.Second, 0.25, 3 * time.Second},
		{"all the time", time.Hour, 1, 0},
		{"more than all", time.Hour, 2, 0},
		{"a dump of no time", 0, 0.5, 0},
		{"clock went back", -time.Second, 0.5, 0},
		{"bounded", time.Hour, 0.5, MaxPause},
		{"longest dump", Never, 0.1, MaxPause},
		{"hardly ever", time.Second, 1e-300, MaxPause},
		{"no share", time.Second, 0, MaxPause},
		{"negative share", time.Second, -1, MaxPause},
		{"share not a number", time.Second, math.NaN(), MaxPause},
	} {
		if got := Pause(tt.took, tt.duty); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestPacer(t *testing.T) {
	at := func(s float64) time.Time { return start().Add(time.Duration(s * float64(time.Second))) }
	p := NewPacer(0.25)
	begin := func(s float64, wantOK bool, wantWait float64) {
		t.Helper()
		if ok, wait := p.Begin(at(s)); ok != wantOK || wait != time.Duration(wantWait*float64(time.Second)) {
			t.Fatalf("Begin at %v s: %t, %v; want %t, %v s", s, ok, wait, wantOK, wantWait)
		}
	}
	p.End(at(0)) // nothing runs
	begin(0, true, 0)
	begin(1, false, 0) // one at a time
	p.End(at(2))
	begin(2, false, 6)
	p.End(at(7)) // nothing runs: the pause is not moved
	begin(7.5, false, 0.5)
	p.Set(0.5)
	begin(1, false, 2) // clock went back: the pause starts again, no longer than it is
	begin(3, true, 0)
	p.End(at(2.5)) // clock went back during the dump
	begin(2.5, true, 0)
	p.End(at(100000))
	begin(100000, false, 600)
	p.Set(1)
	begin(100000, true, 0)
}

// TestPacerShare runs dumps as fast as the pacer lets them.
func TestPacerShare(t *testing.T) {
	for _, duty := range []float64{0.05, 0.5, 0.9} {
		p, now, busy := NewPacer(duty), start(), time.Duration(0)
		for i := range 200 {
			ok, wait := p.Begin(now)
			if !ok {
				now = now.Add(wait)
				if ok, wait = p.Begin(now); !ok {
					t.Fatalf("duty %v: waited and was told to wait %v more", duty, wait)
				}
			}
			took := time.Duration(1+i%7) * 100 * time.Millisecond
			now, busy = now.Add(took), busy+took
			p.End(now)
		}
		_, wait := p.Begin(now)
		if share := float64(busy) / float64(now.Add(wait).Sub(start())); share > duty*1.0001 || share < duty*0.999 {
			t.Errorf("duty %v: %v of the time", duty, share)
		}
	}
}
