// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"nuconntrack/frontd/reason"
	"nuconntrack/ipc"
)

// number4 is an IPv4 address as a number; 192.0.2.1 is 3221225985.
func number4(a netip.Addr) uint32 {
	raw := a.As4()
	return binary.BigEndian.Uint32(raw[:])
}

// number6 is an IPv6 address as two numbers.
func number6(a netip.Addr) addr6 {
	raw := a.As16()
	return addr6{binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])}
}

// addAddressNumber reads an IPv4 address sent as a number.
func (a *alternatives) addAddressNumber(f *Field, v uint64) error {
	switch {
	case f.family == ipc.FamilyIPv6:
		return reason.NumberIPv6.Of()
	case v > math.MaxUint32:
		return reason.AboveIPv4.Of(v, uint32(math.MaxUint32))
	}
	a.v4 = append(a.v4, span{v, v})
	return nil
}

// addAddressText reads an address, a prefix or a range. One of the family that the field
// does not have is no error: nothing matches.
func (a *alternatives) addAddressText(f *Field, s string) error {
	if addr, err := netip.ParseAddr(s); err == nil {
		return a.addAddressRange(s, addr, addr)
	}
	if prefix, err := netip.ParsePrefix(s); err == nil {
		first := prefix.Masked().Addr()
		return a.addAddressRange(s, first, lastAddress(first, prefix.Bits()))
	}
	if first, last, ok := strings.Cut(s, "-"); ok {
		lo, errLo := netip.ParseAddr(first)
		hi, errHi := netip.ParseAddr(last)
		if errLo == nil && errHi == nil {
			return a.addAddressRange(s, lo, hi)
		}
	}
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		return a.addAddressNumber(f, v)
	}
	return reason.NotAddress.Of(Quoted(s))
}

// lastAddress is the last address of a prefix of that many bits.
func lastAddress(first netip.Addr, bits int) netip.Addr {
	raw := first.AsSlice()
	for i := bits; i < len(raw)*8; i++ {
		raw[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(raw)
	return last
}

// addAddressRange asks for both families where both ends are IPv4-mapped: a connection
// of such a host is an IPv4 one, but fields show what the kernel holds.
func (a *alternatives) addAddressRange(s string, lo, hi netip.Addr) error {
	switch {
	case lo.Zone() != "" || hi.Zone() != "":
		return reason.WithInterface.Of(Quoted(s))
	case lo.Is4() != hi.Is4():
		return reason.TwoFamilies.Of(Quoted(s))
	case hi.Less(lo):
		return reason.WrongWay.Of(Quoted(s))
	}
	if lo.Is6() {
		a.v6 = append(a.v6, span6{number6(lo), number6(hi)})
	}
	if lo, hi := lo.Unmap(), hi.Unmap(); lo.Is4() && hi.Is4() {
		a.v4 = append(a.v4, span{uint64(number4(lo)), uint64(number4(hi))})
	}
	return nil
}
