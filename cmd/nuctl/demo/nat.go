// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// destination NAT: who calls the first is connected to the second.
var dnatRules = []struct {
	protocol byte
	from, to netip.AddrPort
}{
	{unix.IPPROTO_TCP, publicWeb4, hiddenWeb4},
	{unix.IPPROTO_UDP, publicDNS4, dns4},
	{unix.IPPROTO_TCP, publicWeb6, hiddenWeb6},
}

// source NAT: connections of the guests seem to come from the firewall.
var (
	guests    = netip.MustParsePrefix("10.20.0.0/24")
	guestsOut = netip.MustParseAddr("203.0.113.1")
)

// addRules does in one transaction what this would (nft(8)):
//
//	table inet demo {
//		chain strict {
//			type filter hook output priority filter
//			meta l4proto tcp ct state new tcp flags & (fin|syn|rst|ack) != syn drop
//		}
//		chain there { type nat hook output priority dstnat; … dnat to … }
//		chain back { type nat hook postrouting priority srcnat; ip saddr 10.20.0.0/24 snat to … }
//	}
//
// Its use of `ct` is what makes the kernel track connections in this namespace at all, and the
// rule is the one that firewalls need for a killed TCP connection to stay dead: without it
// the next packet of the connection would bring it back.
func addRules() error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("add rules: %w", err)
	}
	table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "demo"})
	strict := c.AddChain(&nftables.Chain{Table: table, Name: "strict", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter})
	there := c.AddChain(&nftables.Chain{Table: table, Name: "there", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest})
	back := c.AddChain(&nftables.Chain{Table: table, Name: "back", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource})

	c.AddRule(&nftables.Rule{Table: table, Chain: strict, Exprs: dropNewWithoutSyn()})
	for _, r := range dnatRules {
		c.AddRule(&nftables.Rule{Table: table, Chain: there, Exprs: destinationNAT(r.protocol, r.from, r.to)})
	}
	c.AddRule(&nftables.Rule{Table: table, Chain: back, Exprs: sourceNAT(guests, guestsOut)})
	if err := c.Flush(); err != nil {
		return fmt.Errorf("add rules: %w", err)
	}
	return nil
}

func dropNewWithoutSyn() []expr.Any {
	const finSynRstAck, syn = 0x17, 0x02 // byte 13 of the header, RFC 9293 section 3.1
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		equal(unix.IPPROTO_TCP),
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(expr.CtStateBitNEW), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{finSynRstAck}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{syn}},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}
}

func destinationNAT(protocol byte, from, to netip.AddrPort) []expr.Any {
	family := familyOf(from.Addr())
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		equal(family.number),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		equal(protocol),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: family.destination, Len: family.size},
		equal(from.Addr().AsSlice()...),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		equal(binaryutil.BigEndian.PutUint16(from.Port())...),
		&expr.Immediate{Register: 1, Data: to.Addr().AsSlice()},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(to.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(family.number), RegAddrMin: 1, RegProtoMin: 2},
	}
}

func sourceNAT(from netip.Prefix, to netip.Addr) []expr.Any {
	family := familyOf(to)
	mask := make([]byte, family.size)
	for i := range from.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		equal(family.number),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: family.source, Len: family.size},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: family.size, Mask: mask, Xor: make([]byte, family.size)},
		equal(from.Masked().Addr().AsSlice()...),
		&expr.Immediate{Register: 1, Data: to.AsSlice()},
		&expr.NAT{Type: expr.NATTypeSourceNAT, Family: uint32(family.number), RegAddrMin: 1},
	}
}

// equal goes on with the rule if register 1 holds these bytes.
func equal(data ...byte) *expr.Cmp {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data}
}

// headerLayout says where an IP header has its addresses, in bytes (RFC 791, RFC 8200).
type headerLayout struct {
	number                    byte
	source, destination, size uint32
}

func familyOf(a netip.Addr) headerLayout {
	if a.Is4() {
		return headerLayout{number: unix.NFPROTO_IPV4, source: 12, destination: 16, size: 4}
	}
	return headerLayout{number: unix.NFPROTO_IPV6, source: 8, destination: 24, size: 16}
}
