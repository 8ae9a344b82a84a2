// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"net/netip"
	"slices"
	"sort"
)

// Mark asks for (connmark & Mask) == Value. Value has no bits outside Mask.
type Mark struct{ Value, Mask uint32 }

// Scope is the part of the connections that exists for the users of a role. A connection
// is in it when it fits each list that there is; nil and the zero value have no list, and
// stand for everything.
//
//   - networks: one of its four addresses is in one of them, so that with NAT it is found by
//     what the user's own host has as well as by what the other end sees;
//   - zones: the zones of both directions are among them, as in the helper's policy;
//   - marks: one of them fits its connmark.
//
// Addresses and zones stay what they are as long as a connection lives, its mark may
// change at any time. Unlike in rules that protect, an IPv6 network never holds IPv4
// addresses, be it ::/0: whoever forgets 0.0.0.0/0 shows too little, and will be told.
type Scope struct {
	networks []netip.Prefix // canonical, as written, for print
	v4, v6   []addressSpan  // the same by family, sorted and merged, in the 128-bit form
	zones    []uint16       // sorted
	marks    []Mark
}

func newScope(networks []netip.Prefix, zones []uint16, marks []Mark) *Scope {
	if networks == nil && zones == nil && marks == nil {
		return nil
	}
	var v4, v6 []netip.Prefix
	for _, p := range networks {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return &Scope{networks: networks, v4: spansOf(v4), v6: spansOf(v6), zones: zones, marks: marks}
}

// Whole reports whether everything is in the scope.
func (s *Scope) Whole() bool {
	return s == nil || s.networks == nil && s.zones == nil && s.marks == nil
}

// Networks returns the networks, IPv4 ones never in their mapped form; nil stands for any.
func (s *Scope) Networks() []netip.Prefix {
	if s == nil {
		return nil
	}
	return slices.Clone(s.networks)
}

// Zones returns the zones, sorted; nil stands for any.
func (s *Scope) Zones() []uint16 {
	if s == nil {
		return nil
	}
	return slices.Clone(s.zones)
}

// Marks returns the marks; nil stands for any.
func (s *Scope) Marks() []Mark {
	if s == nil {
		return nil
	}
	return slices.Clone(s.marks)
}

// Covers reports whether a connection is in the scope by all that cannot change in its
// life, its addresses and zones. An address that is not known is in no network.
func (s *Scope) Covers(c Connection) bool {
	if s.Whole() {
		return true
	}
	if s.networks != nil && !slices.ContainsFunc(
		[]netip.Addr{c.Orig.Src, c.Orig.Dst, c.Reply.Src, c.Reply.Dst}, s.hasAddress) {
		return false
	}
	return s.hasZone(c.OrigZone) && s.hasZone(c.ReplyZone)
}

// CoversMark reports whether a connection with this mark is in the scope by that.
func (s *Scope) CoversMark(mark uint32) bool {
	return s == nil || s.marks == nil ||
		slices.ContainsFunc(s.marks, func(m Mark) bool { return mark&m.Mask == m.Value })
}

func (s *Scope) hasAddress(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	return inSpans(s.v4, wide(a)) || !a.Is4() && inSpans(s.v6, wide(a))
}

func (s *Scope) hasZone(zone uint16) bool {
	if s.zones == nil {
		return true
	}
	_, found := slices.BinarySearch(s.zones, zone)
	return found
}

// markBits returns the bits of the connmark that decide what is in the scope.
func (s *Scope) markBits() (bits uint32) {
	if s != nil {
		for _, m := range s.marks {
			bits |= m.Mask
		}
	}
	return bits
}

// inSpans looks an address in its 128-bit form up in merged spans.
func inSpans(spans []addressSpan, a netip.Addr) bool {
	n := sort.Search(len(spans), func(k int) bool { return spans[k].last.Compare(a) >= 0 })
	return n < len(spans) && spans[n].first.Compare(a) <= 0
}
