// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSpans compares looking numbers up among many spans with looking at each.
func TestSpans(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	random := func(bits int) (all []span) {
		for range 1 + rnd.IntN(60) {
			lo := rnd.Uint64() >> (64 - bits)
			all = append(all, span{lo, lo + rnd.Uint64N(math.MaxUint64-lo)>>rnd.IntN(64)})
		}
		return all
	}
	cases := [][]span{
		{{0, 0}}, {{math.MaxUint64, math.MaxUint64}}, {{0, math.MaxUint64}},
		{{1, 1}, {2, 2}, {4, 4}, {6, 6}, {8, 8}, {10, 10}, {math.MaxUint64 - 1, math.MaxUint64}},
		{{5, 9}, {5, 5}, {7, 20}, {0, 0}, {22, 22}, {24, 24}, {26, 26}, {28, 1 << 40}},
	}
	for range 500 {
		cases = append(cases, random(1+rnd.IntN(64)))
	}
	for i, all := range cases {
		plain := slices.Clone(all)
		merged := mergeSpans(all)
		index := indexSpans(merged)
		for k := range len(merged) - 1 {
			if a, b := merged[k], merged[k+1]; a.hi >= b.lo || b.lo-a.hi < 2 {
				t.Fatalf("case %d: spans %v and %v touch", i, a, b)
			}
		}
		var probes []uint64
		for _, s := range plain {
			probes = append(probes, s.lo, s.lo-1, s.lo+1, s.hi, s.hi-1, s.hi+1, rnd.Uint64(), rnd.Uint64()>>rnd.IntN(64))
		}
		for _, v := range probes {
			want := slices.ContainsFunc(plain, func(s span) bool { return s.lo <= v && v <= s.hi })
			if got := index.inSpans(merged, v); got != want {
				t.Fatalf("case %d: %d among %v: %v", i, v, merged, got)
			}
			if got := (&spanIndex{}).inSpans(merged, v); got != want {
				t.Fatalf("case %d: %d among %v without an index: %v", i, v, merged, got)
			}
		}
		if len(index.first) > 8*len(merged) {
			t.Errorf("case %d: %d buckets for %d spans", i, len(index.first), len(merged))
		}
	}
}
