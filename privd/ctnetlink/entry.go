// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"fmt"
	"net/netip"

	"nuconntrack/ipc"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/netfilter"
)

// An Entry is a connection as the kernel reported it. Only Conn.Get makes one, so that
// nothing can be deleted or changed that was not read; the zero Entry is refused.
type Entry struct {
	target  ipc.Target
	status  uint32
	mark    uint32
	timeout uint32
	expires bool
}

// Target gives both tuples, the zones and the id.
func (e Entry) Target() ipc.Target { return e.target }

// Mark gives the connmark; 0 also from a kernel without marks.
func (e Entry) Mark() uint32 { return e.mark }

// Status gives the IPS_ bits.
func (e Entry) Status() uint32 { return e.status }

// Timeout gives the seconds left; false when the kernel did not tell, as for a
// connection that a flow table carries.
func (e Entry) Timeout() (uint32, bool) { return e.timeout, e.expires }

// FixedTimeout reports whether the timeout cannot be changed any more.
func (e Entry) FixedTimeout() bool { return e.status&ipsFixedTimeout != 0 }

// decodeEntry reads one message of type IPCTNL_MSG_CT_NEW, header included. It reads
// what an Entry holds and looks into no other attribute, so that what newer kernels add
// does no harm.
func decodeEntry(message []byte) (Entry, error) {
	if len(message) < headerSize+nfGenSize {
		return Entry{}, malformed("connection in %d bytes", len(message))
	}
	ad, err := netfilter.NewAttributeDecoder(message[headerSize+nfGenSize:])
	if err != nil {
		return Entry{}, malformed("%v", err)
	}
	d := entryDecoder{}
	d.entry.target.Family = message[headerSize]
	for ad.Next() {
		d.attribute(ad)
	}
	if err := ad.Err(); err != nil {
		return Entry{}, malformed("%v", err)
	}
	if !d.id || !d.status || d.protocols[0] != d.protocols[1] {
		return Entry{}, malformed("no id, no status, or protocols %d and %d", d.protocols[0], d.protocols[1])
	}
	d.entry.target.Protocol = d.protocols[0]
	// Missing tuples have no addresses and fail here.
	if err := d.entry.target.Check(); err != nil {
		return Entry{}, malformed("%v", err)
	}
	return d.entry, nil
}

type entryDecoder struct {
	entry      Entry
	protocols  [2]uint8 // orig, reply
	id, status bool
}

func (d *entryDecoder) attribute(ad *netlink.AttributeDecoder) {
	e := &d.entry
	switch ad.Type() {
	case ctaTupleOrig:
		ad.Nested(func(ad *netlink.AttributeDecoder) error {
			return decodeTuple(ad, &e.target.Orig, &d.protocols[0])
		})
	case ctaTupleReply:
		ad.Nested(func(ad *netlink.AttributeDecoder) error {
			return decodeTuple(ad, &e.target.Reply, &d.protocols[1])
		})
	case ctaZone:
		z := ad.Uint16()
		e.target.Orig.Zone, e.target.Reply.Zone = z, z
	case ctaID:
		e.target.ID, d.id = ad.Uint32(), true
	case ctaStatus:
		e.status, d.status = ad.Uint32(), true
	case ctaMark:
		e.mark = ad.Uint32()
	case ctaTimeout:
		e.timeout, e.expires = ad.Uint32(), true
	}
}

func decodeTuple(ad *netlink.AttributeDecoder, t *ipc.Tuple, protocol *uint8) error {
	for ad.Next() {
		switch ad.Type() {
		case ctaTupleIP:
			ad.Nested(func(ad *netlink.AttributeDecoder) error { return decodeAddresses(ad, t) })
		case ctaTupleProto:
			ad.Nested(func(ad *netlink.AttributeDecoder) error { return decodeProtocol(ad, t, protocol) })
		case ctaTupleZone:
			t.Zone = ad.Uint16()
		}
	}
	return ad.Err()
}

func decodeAddresses(ad *netlink.AttributeDecoder, t *ipc.Tuple) error {
	for ad.Next() {
		var to *netip.Addr
		size := 4
		switch ad.Type() {
		case ctaIPv4Src:
			to = &t.Src
		case ctaIPv4Dst:
			to = &t.Dst
		case ctaIPv6Src:
			to, size = &t.Src, 16
		case ctaIPv6Dst:
			to, size = &t.Dst, 16
		default:
			continue
		}
		b := ad.Bytes()
		if len(b) != size {
			return fmt.Errorf("address of %d bytes", len(b))
		}
		*to, _ = netip.AddrFromSlice(b)
	}
	return ad.Err()
}

func decodeProtocol(ad *netlink.AttributeDecoder, t *ipc.Tuple, protocol *uint8) error {
	for ad.Next() {
		switch ad.Type() {
		case ctaProtoNum:
			*protocol = ad.Uint8()
		case ctaProtoSrcPort:
			t.Kind, t.SrcPort = ipc.Ports, ad.Uint16()
		case ctaProtoDstPort:
			t.Kind, t.DstPort = ipc.Ports, ad.Uint16()
		case ctaProtoICMPID, ctaProtoICMPv6ID:
			t.Kind, t.SrcPort = ipc.ICMP, ad.Uint16()
		case ctaProtoICMPType, ctaProtoICMPv6Type:
			t.Kind, t.DstPort = ipc.ICMP, t.DstPort&0x00ff|uint16(ad.Uint8())<<8
		case ctaProtoICMPCode, ctaProtoICMPv6Code:
			t.Kind, t.DstPort = ipc.ICMP, t.DstPort&0xff00|uint16(ad.Uint8())
		}
	}
	return ad.Err()
}
