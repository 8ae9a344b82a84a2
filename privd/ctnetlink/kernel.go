// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// enum cntl_msg_types. IPCTNL_MSG_CT_GET_CTRZERO, which would reset counters that
// others read, is left out on purpose.
const (
	ctNew         = 0
	ctGet         = 1
	ctDelete      = 2
	ctGetStatsCPU = 4
)

// enum ctattr_type.
const (
	ctaTupleOrig  = 1
	ctaTupleReply = 2
	ctaStatus     = 3
	ctaTimeout    = 7
	ctaMark       = 8
	ctaID         = 12
	ctaZone       = 18
	ctaMarkMask   = 21
)

// enum ctattr_tuple.
const (
	ctaTupleIP    = 1
	ctaTupleProto = 2
	ctaTupleZone  = 3
)

// enum ctattr_ip.
const (
	ctaIPv4Src = 1
	ctaIPv4Dst = 2
	ctaIPv6Src = 3
	ctaIPv6Dst = 4
)

// enum ctattr_l4proto.
const (
	ctaProtoNum        = 1
	ctaProtoSrcPort    = 2
	ctaProtoDstPort    = 3
	ctaProtoICMPID     = 4
	ctaProtoICMPType   = 5
	ctaProtoICMPCode   = 6
	ctaProtoICMPv6ID   = 7
	ctaProtoICMPv6Type = 8
	ctaProtoICMPv6Code = 9
)

// ipsFixedTimeout is IPS_FIXED_TIMEOUT of nf_conntrack_common.h.
const ipsFixedTimeout = 1 << 10

const (
	headerSize = unix.SizeofNlMsghdr
	nfGenSize  = 4 // struct nfgenmsg: family, version, resource id
)

// messageType is the type in the header of a conntrack message.
func messageType(t uint8) uint16 {
	return uint16(netfilter.NFSubsysCTNetlink)<<8 | uint16(t)
}
