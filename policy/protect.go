// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"sort"
)

// protectRule matches a connection when every list it has matches. nil lists
// stand for any.
type protectRule struct {
	name      string
	prefixes  []netip.Prefix // as written but masked, for print
	addresses []addressSpan  // the same, sorted and merged, for match
	ports     []portSpan     // sorted and merged
	protocols []uint8        // sorted
}

// addressSpan is a closed interval of addresses in their 128-bit form.
type addressSpan struct{ first, last netip.Addr }

// portSpan is a closed interval of ports.
type portSpan struct{ first, last uint16 }

// traits is what protect rules look at, made ready once for all of them.
type traits struct {
	protocol  uint8
	addresses [4]netip.Addr // 128-bit form; the zero Addr where unknown
	ports     [4]uint16
	hasPort   [4]bool
}

func traitsOf(c Connection) traits {
	return traits{
		protocol: c.Protocol,
		addresses: [4]netip.Addr{
			wide(c.Orig.Src), wide(c.Orig.Dst), wide(c.Reply.Src), wide(c.Reply.Dst),
		},
		ports:   [4]uint16{c.Orig.SrcPort, c.Orig.DstPort, c.Reply.SrcPort, c.Reply.DstPort},
		hasPort: [4]bool{c.Orig.HasPorts, c.Orig.HasPorts, c.Reply.HasPorts, c.Reply.HasPorts},
	}
}

// sides names the four places of traits' arrays.
func sides() [4]string {
	return [4]string{"original source", "original destination", "reply source", "reply destination"}
}

// match reports whether the rule protects the connection, and by what: with NAT
// it may be an address that the person who asked has never seen.
func (p *protectRule) match(t *traits) (why string, ok bool) {
	port, address := -1, -1
	if p.protocols != nil {
		if _, found := slices.BinarySearch(p.protocols, t.protocol); !found {
			return "", false
		}
	}
	if p.ports != nil {
		if port = p.listedPort(t); port < 0 {
			return "", false
		}
	}
	if p.addresses != nil {
		if address = p.listedAddress(t); address < 0 {
			return "", false
		}
	}
	return p.explain(t, port, address), true
}

// explain says by what the rule matched; an index below 0 is a list left out.
func (p *protectRule) explain(t *traits, port, address int) string {
	why := "rule " + p.name
	if p.protocols != nil {
		why += ", protocol " + protocolName(t.protocol)
	}
	if port >= 0 {
		why += fmt.Sprintf(", port %d (%s)", t.ports[port], sides()[port])
	}
	if address >= 0 {
		shown := "unknown"
		if a := t.addresses[address]; a.IsValid() {
			shown = a.Unmap().String()
		}
		why += fmt.Sprintf(", address %s (%s)", shown, sides()[address])
	}
	return why
}

// listedPort returns the first end whose port is listed, or -1.
func (p *protectRule) listedPort(t *traits) int {
	for i, port := range t.ports {
		if !t.hasPort[i] {
			continue
		}
		n := sort.Search(len(p.ports), func(k int) bool { return p.ports[k].last >= port })
		if n < len(p.ports) && p.ports[n].first <= port {
			return i
		}
	}
	return -1
}

// listedAddress is listedPort for addresses.
func (p *protectRule) listedAddress(t *traits) int {
	for i, a := range t.addresses {
		if !a.IsValid() {
			return i
		}
		if inSpans(p.addresses, a) {
			return i
		}
	}
	return -1
}

// wide returns a in its 128-bit form without zone identifier, so that an IPv4
// address and the IPv6 address that maps it are equal.
func wide(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return a
	}
	return netip.AddrFrom16(a.As16())
}

// canonical returns p without host bits, and as an IPv4 prefix where it is the
// mapped form of one.
func canonical(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= mappedBits {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits)
	}
	return p.Masked()
}

// mappedBits is the length of ::ffff:0:0/96, the block that maps IPv4
// (RFC 4291 section 2.5.5.2).
const mappedBits = 96

// spanOf returns the addresses of a canonical prefix.
func spanOf(p netip.Prefix) addressSpan {
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += mappedBits
	}
	first := p.Addr().As16()
	last := first
	for i := bits; i < 128; i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	return addressSpan{netip.AddrFrom16(first), netip.AddrFrom16(last)}
}

// spansOf returns the addresses of all prefixes, merged; nil for nil.
func spansOf(prefixes []netip.Prefix) []addressSpan {
	var spans []addressSpan
	for _, p := range prefixes {
		spans = append(spans, spanOf(p))
	}
	return mergeAddresses(spans)
}

// coversIPv4 reports whether an IPv6 prefix lists all of IPv4 as well.
func coversIPv4(p netip.Prefix) bool {
	s := spanOf(p)
	all := spanOf(netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	return p.Addr().Is6() && s.first.Compare(all.first) <= 0 && s.last.Compare(all.last) >= 0
}

// mergeAddresses sorts spans and joins those that overlap, so that a search
// needs to look at one only.
func mergeAddresses(spans []addressSpan) []addressSpan {
	slices.SortFunc(spans, func(a, b addressSpan) int { return a.first.Compare(b.first) })
	merged := spans[:0]
	for _, s := range spans {
		if n := len(merged); n > 0 && s.first.Compare(merged[n-1].last) <= 0 {
			if s.last.Compare(merged[n-1].last) > 0 {
				merged[n-1].last = s.last
			}
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// mergePorts is mergeAddresses for ports; neighbours are joined too.
func mergePorts(spans []portSpan) []portSpan {
	slices.SortFunc(spans, func(a, b portSpan) int { return cmp.Compare(a.first, b.first) })
	merged := spans[:0]
	for _, s := range spans {
		if n := len(merged); n > 0 && int(s.first) <= int(merged[n-1].last)+1 {
			merged[n-1].last = max(merged[n-1].last, s.last)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}
