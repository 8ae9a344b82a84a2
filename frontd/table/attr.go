// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "encoding/binary"

// What a netlink message is made of (include/uapi/linux/netlink.h). Headers are in the
// machine's byte order, conntrack's values are big-endian.
const (
	nlHeaderSize = 16
	nfHeaderSize = 4 // struct nfgenmsg
	nlAlign      = 4

	nlTypeNoop = 1
	nlTypeDone = 3
	// nlTypeNew is NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW.
	nlTypeNew = 0x0100

	attrHeaderSize = 4
	// attrTypeMask takes NLA_F_NESTED and NLA_F_NET_BYTEORDER off.
	attrTypeMask = 0x3fff
)

// The attributes of a connection (include/uapi/linux/netfilter/nfnetlink_conntrack.h).
const (
	ctaTupleOrig     = 1
	ctaTupleReply    = 2
	ctaStatus        = 3
	ctaProtoinfo     = 4
	ctaHelp          = 5
	ctaTimeout       = 7
	ctaMark          = 8
	ctaCountersOrig  = 9
	ctaCountersReply = 10
	ctaUse           = 11
	ctaID            = 12
	ctaZone          = 18
	ctaSecctx        = 19
	ctaTimestamp     = 20
	ctaLabels        = 22

	ctaTupleIP    = 1
	ctaTupleProto = 2
	ctaTupleZone  = 3

	ctaIPv4Src = 1
	ctaIPv4Dst = 2
	ctaIPv6Src = 3
	ctaIPv6Dst = 4

	ctaProtoNum        = 1
	ctaProtoSrcPort    = 2
	ctaProtoDstPort    = 3
	ctaProtoICMPID     = 4
	ctaProtoICMPType   = 5
	ctaProtoICMPCode   = 6
	ctaProtoICMPv6ID   = 7
	ctaProtoICMPv6Type = 8
	ctaProtoICMPv6Code = 9

	ctaProtoinfoTCP  = 1
	ctaProtoinfoDCCP = 2
	ctaProtoinfoSCTP = 3
	// ctaProtoinfoState is the same number in all three.
	ctaProtoinfoState = 1

	ctaCountersPackets   = 1
	ctaCountersBytes     = 2
	ctaCounters32Packets = 3
	ctaCounters32Bytes   = 4

	ctaHelpName       = 1
	ctaSecctxName     = 1
	ctaTimestampStart = 1
)

// Protocol numbers whose tuples hold an ICMP id, type and code.
const (
	protoICMP   = 1
	protoICMPv6 = 58
)

// cutAttr takes the first attribute off b. It is false for one that overruns b.
func cutAttr(b []byte) (typ uint16, val, rest []byte, ok bool) {
	if len(b) < attrHeaderSize {
		return 0, nil, nil, false
	}
	n := int(binary.NativeEndian.Uint16(b))
	typ = binary.NativeEndian.Uint16(b[2:]) & attrTypeMask
	if n < attrHeaderSize || n > len(b) {
		return 0, nil, nil, false
	}
	return typ, b[attrHeaderSize:n], b[min((n+nlAlign-1)&^(nlAlign-1), len(b)):], true
}

func be16(b []byte, v *uint16) bool {
	if len(b) != 2 {
		return false
	}
	*v = binary.BigEndian.Uint16(b)
	return true
}

func be32(b []byte, v *uint32) bool {
	if len(b) != 4 {
		return false
	}
	*v = binary.BigEndian.Uint32(b)
	return true
}

// be64 reads 64 bits, or 32 from an old kernel's attribute.
func be64(b []byte, v *uint64) bool {
	switch len(b) {
	case 8:
		*v = binary.BigEndian.Uint64(b)
	case 4:
		*v = uint64(binary.BigEndian.Uint32(b))
	default:
		return false
	}
	return true
}
