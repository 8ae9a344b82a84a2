// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
)

// span is a closed range of numbers.
type span struct{ lo, hi uint64 }

// masked asks for (number & mask) == value.
type masked struct{ value, mask uint64 }

// numbers is a set of numbers that a filter asks for.
type numbers struct {
	spans  []span // in order, and not touching
	index  spanIndex
	masked []masked
}

const (
	// few is the number of spans up to which looking at each, without a jump, is quickest.
	few = 4
	// sparse is the number of rows of 64 up to which it is quicker to look at only these.
	sparse = 6
)

// mergeSpans puts spans in order and joins those that touch.
func mergeSpans(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	merged := all[:0]
	for _, s := range all {
		last := len(merged) - 1
		switch {
		case last < 0 || s.lo > merged[last].hi && s.lo-merged[last].hi > 1:
			merged = append(merged, s)
		case s.hi > merged[last].hi:
			merged[last].hi = s.hi
		}
	}
	return merged
}

// contains is the plain reading of the set, for one number.
func (set numbers) contains(v uint64) bool {
	in := func(s span) bool { return s.lo <= v && v <= s.hi }
	return slices.ContainsFunc(set.spans, in) || slices.ContainsFunc(set.masked, func(m masked) bool { return v&m.mask == m.value })
}

// spanIndex says where to look for a number among many spans: the numbers from base on
// fall into buckets of 1<<shift, about two for each span. However the spans lie, a search
// takes no more steps than one without the index; where they lie evenly it takes one.
type spanIndex struct {
	base  uint64
	shift int
	first []int32 // by bucket, the first span that ends in it or behind it
}

func indexSpans(spans []span) (x spanIndex) {
	if len(spans) <= few {
		return x
	}
	x.base = spans[0].lo
	reach := spans[len(spans)-1].hi - x.base
	x.shift = max(0, bits.Len64(reach)-bits.Len(uint(len(spans)))-1)
	x.first = make([]int32, reach>>x.shift+1)
	at := 0
	for bucket := range x.first {
		for spans[at].hi < x.base+uint64(bucket)<<x.shift {
			at++
		}
		x.first[bucket] = int32(at)
	}
	return x
}

// inSpans looks a number up. Without buckets all spans are searched.
func (x *spanIndex) inSpans(spans []span, v uint64) bool {
	lo, hi := 0, len(spans)
	if len(x.first) > 0 {
		bucket := (v - x.base) >> x.shift
		if v < x.base || bucket >= uint64(len(x.first)) {
			return false
		}
		lo = int(x.first[bucket])
		if next := bucket + 1; next < uint64(len(x.first)) {
			hi = int(x.first[next]) + 1
		}
	}
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if spans[mid].hi < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(spans) && spans[lo].lo <= v
}

// wordOf gives those of the at most 64 numbers of interest that are in the set.
func wordOf[T unsigned](set *numbers, part []T, interest uint64) (word uint64) {
	if interest == 0 {
		return 0
	}
	if len(set.spans) <= few && bits.OnesCount64(interest) > sparse {
		for _, s := range set.spans {
			word |= withinSpan(part, s)
		}
		word &= interest
	} else {
		for rest := interest; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			if set.index.inSpans(set.spans, uint64(part[i])) {
				word |= 1 << i
			}
		}
	}
	for _, x := range set.masked {
		for rest := interest &^ word; rest != 0; rest &= rest - 1 {
			i := bits.TrailingZeros64(rest)
			if uint64(part[i])&x.mask == x.value {
				word |= 1 << i
			}
		}
	}
	return word
}

// withinSpan sets the bits of the numbers in the span, and bits beyond the last number.
func withinSpan[T unsigned](part []T, s span) uint64 {
	width := s.hi - s.lo
	var outside uint64
	for i := len(part) - 1; i >= 0; i-- {
		_, bit := bits.Sub64(width, uint64(part[i])-s.lo, 0)
		outside += outside + bit
	}
	return ^outside
}

// span6 is a closed range of IPv6 addresses.
type span6 struct{ lo, hi addr6 }

// addr6 is an IPv6 address as two numbers, the first bits in hi.
type addr6 struct{ hi, lo uint64 }

func (a addr6) less(b addr6) bool {
	return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo
}

// addresses is a set of addresses that a filter asks for, by family.
type addresses struct {
	v4     []span
	index4 spanIndex
	v6     []span6
}

func mergeSpans6(all []span6) []span6 {
	slices.SortFunc(all, func(a, b span6) int {
		return cmp.Or(cmp.Compare(a.lo.hi, b.lo.hi), cmp.Compare(a.lo.lo, b.lo.lo))
	})
	merged := all[:0]
	for _, s := range all {
		last := len(merged) - 1
		switch {
		case last < 0 || merged[last].hi.less(s.lo):
			merged = append(merged, s)
		case merged[last].hi.less(s.hi):
			merged[last].hi = s.hi
		}
	}
	return merged
}

func inSpans6(spans []span6, a addr6) bool {
	lo, hi := 0, len(spans)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if spans[mid].hi.less(a) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(spans) && !a.less(spans[lo].lo)
}

// contains is the plain reading of the set, for one address.
func (set addresses) contains(a netip.Addr) bool {
	for _, r := range set.v4 {
		if a.Is4() && r.lo <= uint64(number4(a)) && uint64(number4(a)) <= r.hi {
			return true
		}
	}
	for _, r := range set.v6 {
		if a.Is6() && !number6(a).less(r.lo) && !r.hi.less(number6(a)) {
			return true
		}
	}
	return false
}
