// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"testing"

	"nuconntrack/ipc"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// An attr is an attribute as this test reads it: with a parser of its own, so that a
// mistake of the library that builds the messages shows.
type attr struct {
	typ    uint16
	nested bool
	data   []byte
}

func parseAttrs(t testing.TB, b []byte) map[uint16]attr {
	t.Helper()
	found := map[uint16]attr{}
	for len(b) > 0 {
		if len(b) < 4 {
			t.Fatalf("%d bytes behind the attributes", len(b))
		}
		n, typ := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
		padded := (n + 3) &^ 3
		if n < 4 || padded > len(b) {
			t.Fatalf("attribute of %d bytes in %d", n, len(b))
		}
		a := attr{typ: typ & 0x3fff, nested: typ&unix.NLA_F_NESTED != 0, data: b[4:n]}
		if _, twice := found[a.typ]; twice {
			t.Fatalf("attribute %d twice", a.typ)
		}
		found[a.typ] = a
		b = b[padded:]
	}
	return found
}

// A sent message, as the kernel would read it.
type sent struct {
	typ    uint16
	flags  uint16
	family uint8
	attrs  map[uint16]attr
}

func parseRequest(t testing.TB, r request) sent {
	t.Helper()
	b := r.bytes
	if len(b) < 20 || int(binary.NativeEndian.Uint32(b)) != len(b) {
		t.Fatalf("%d bytes with length %x: the kernel would read something behind it", len(b), b[:4])
	}
	if seq := binary.NativeEndian.Uint32(b[8:]); seq != r.seq {
		t.Fatalf("sequence %d, want %d", seq, r.seq)
	}
	if b[17] != 0 {
		t.Fatalf("version %d: the kernel would flush by family", b[17])
	}
	return sent{
		typ: binary.NativeEndian.Uint16(b[4:]), flags: binary.NativeEndian.Uint16(b[6:]),
		family: b[16], attrs: parseAttrs(t, b[20:]),
	}
}

// checkLookUp wants exactly one connection named, as this target has it.
func checkLookUp(t testing.TB, m sent, want ipc.Target) {
	t.Helper()
	if m.family != want.Family {
		t.Fatalf("family %d, want %d", m.family, want.Family)
	}
	tuple, ok := m.attrs[1]
	if !ok || !tuple.nested {
		t.Fatal("no original tuple: with DELETE, a flush of the table")
	}
	inside := parseAttrs(t, tuple.data)
	src, dst := uint16(1), uint16(2)
	if want.Family == ipc.FamilyIPv6 {
		src, dst = 3, 4
	}
	ip := parseAttrs(t, inside[1].data)
	if len(ip) != 2 || string(ip[src].data) != string(want.Orig.Src.AsSlice()) || string(ip[dst].data) != string(want.Orig.Dst.AsSlice()) {
		t.Fatalf("addresses %v, want %v", ip, want.Orig)
	}
	checkProtocol(t, parseAttrs(t, inside[2].data), want)

	outer, hasOuter := m.attrs[18]
	inner, hasInner := inside[3]
	switch orig, reply := want.Orig.Zone, want.Reply.Zone; {
	case orig != 0 && orig == reply:
		if hasInner || !hasOuter || binary.BigEndian.Uint16(outer.data) != orig {
			t.Fatalf("zone of both directions is %d, sent as %v and %v", orig, outer, inner)
		}
	case orig != 0:
		if hasOuter || !hasInner || binary.BigEndian.Uint16(inner.data) != orig || reply != 0 {
			t.Fatalf("zone of the original direction is %d, sent as %v and %v", orig, outer, inner)
		}
	case hasOuter || hasInner:
		t.Fatalf("original direction in the default zone, sent as %v and %v", outer, inner)
	}
}

func checkProtocol(t testing.TB, got map[uint16]attr, want ipc.Target) {
	t.Helper()
	if len(got[1].data) != 1 || got[1].data[0] != want.Protocol {
		t.Fatalf("protocol %v, want %d", got[1], want.Protocol)
	}
	size := 1
	u16 := func(typ uint16) uint16 {
		size++
		if len(got[typ].data) != 2 {
			t.Fatalf("protocol attribute %d is %v", typ, got[typ])
		}
		return binary.BigEndian.Uint16(got[typ].data)
	}
	switch want.Orig.Kind {
	case ipc.Ports:
		if u16(2) != want.Orig.SrcPort || u16(3) != want.Orig.DstPort {
			t.Fatalf("ports %v, want %+v", got, want.Orig)
		}
	case ipc.ICMP:
		first := uint16(4)
		if want.Protocol == unix.IPPROTO_ICMPV6 {
			first = 7
		}
		size += 2
		if u16(first) != want.Orig.SrcPort || string(got[first+1].data) != string([]byte{want.Orig.ICMPType()}) ||
			string(got[first+2].data) != string([]byte{want.Orig.ICMPCode()}) {
			t.Fatalf("ICMP %v, want %+v", got, want.Orig)
		}
	}
	if len(got) != size {
		t.Fatalf("protocol attributes %v, want %d", got, size)
	}
}

// only wants the attributes named, beside the tuple and the zone of the look-up.
func only(t testing.TB, m sent, want map[uint16]uint32) {
	t.Helper()
	for typ, v := range want {
		if a := m.attrs[typ]; len(a.data) != 4 || a.nested || binary.BigEndian.Uint32(a.data) != v {
			t.Fatalf("attribute %d is %v, want %#x", typ, a, v)
		}
	}
	for typ := range m.attrs {
		if _, ok := want[typ]; !ok && typ != 1 && typ != 18 {
			t.Fatalf("attribute %d has no place in this message", typ)
		}
	}
}

func header(t testing.TB, m sent, typ, flags uint16) {
	t.Helper()
	if m.typ != 1<<8|typ || m.flags != flags {
		t.Fatalf("type %#x with flags %#x, want %#x with %#x", m.typ, m.flags, 1<<8|typ, flags)
	}
}

// checkAll builds all messages that an entry allows and checks each.
func checkAll(t testing.TB, e Entry, value, mask, seconds uint32) {
	t.Helper()
	const seq, ack = 77, unix.NLM_F_REQUEST | unix.NLM_F_ACK
	build := func(r request, err error) sent {
		t.Helper()
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		m := parseRequest(t, r)
		checkLookUp(t, m, e.target)
		return m
	}
	m := build(encodeGet(e.target, seq))
	header(t, m, 1, unix.NLM_F_REQUEST)
	only(t, m, nil)

	m = build(encodeDelete(e, seq))
	header(t, m, 2, ack)
	only(t, m, map[uint16]uint32{12: e.target.ID})

	m = build(encodeMark(e, value, mask, seq))
	header(t, m, 0, ack)
	only(t, m, map[uint16]uint32{8: value, 21: mask})
	if value&^mask != 0 {
		t.Fatalf("mark %#x outside its mask %#x", value, mask)
	}

	m = build(encodeTimeout(e, seconds, seq))
	header(t, m, 0, ack)
	only(t, m, map[uint16]uint32{7: seconds, 3: e.status | 1<<10})
	if seconds == 0 {
		t.Fatal("a timeout of 0 is a kill")
	}
}

// shapes gives a target for every combination of what the encoder tells apart.
func shapes() (all []ipc.Target) {
	families := []struct {
		family   uint8
		src, dst netip.Addr
	}{
		{ipc.FamilyIPv4, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")},
		{ipc.FamilyIPv4, netip.IPv4Unspecified(), netip.IPv4Unspecified()},
		{ipc.FamilyIPv6, netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::ffff:192.0.2.1")},
		{ipc.FamilyIPv6, netip.IPv6Unspecified(), netip.IPv6Unspecified()},
	}
	zones := [][2]uint16{{0, 0}, {7, 7}, {7, 0}, {0, 7}, {65535, 65535}, {65535, 0}, {0, 65535}}
	ports := [][2]uint16{{0, 0}, {1, 65535}, {51234, 8 << 8}}
	for _, f := range families {
		for protocol := range 256 {
			kinds := []ipc.PortKind{ipc.NoPorts, ipc.Ports}
			if protocol == unix.IPPROTO_ICMP || protocol == unix.IPPROTO_ICMPV6 {
				kinds[1] = ipc.ICMP
			}
			for _, kind := range kinds {
				for _, z := range zones {
					for _, p := range ports[:1+2*min(int(kind), 1)] {
						t := ipc.Target{Family: f.family, Protocol: uint8(protocol), ID: uint32(protocol) << 24}
						t.Orig = ipc.Tuple{Src: f.src, Dst: f.dst, Zone: z[0], Kind: kind, SrcPort: p[0], DstPort: p[1]}
						t.Reply = ipc.Tuple{Src: f.dst, Dst: f.src, Zone: z[1], Kind: kind, SrcPort: p[1], DstPort: p[0]}
						all = append(all, t)
					}
				}
			}
		}
	}
	return all
}

func TestNoMessageFlushesCreatesOrSetsStatus(t *testing.T) {
	all := shapes()
	if len(all) < 10000 {
		t.Fatalf("only %d shapes", len(all))
	}
	marks := [][2]uint32{{0, 0}, {0, math.MaxUint32}, {math.MaxUint32, math.MaxUint32}, {0, 1}, {1 << 31, 1 << 31}, {0x10, 0xf0}}
	timeouts := []uint32{1, 10, ipc.MaxTimeout}
	status := []uint32{0, math.MaxUint32}
	for i := range 32 {
		status = append(status, 1<<i, ^uint32(1<<i))
	}
	for i, target := range all {
		e := Entry{target: target, status: status[i%len(status)], mark: 5, timeout: 6, expires: i%2 == 0}
		mark := marks[i%len(marks)]
		checkAll(t, e, mark[0], mark[1], timeouts[i%len(timeouts)])
	}
	// All values with one target: they do not depend on it.
	for _, s := range status {
		for _, mark := range marks {
			for _, seconds := range timeouts {
				checkAll(t, Entry{target: all[0], status: s}, mark[0], mark[1], seconds)
			}
		}
	}
}

// TestEncodedAsTheLibraryWould holds the encoder to the library whose attributes it writes.
func TestEncodedAsTheLibraryWould(t *testing.T) {
	for _, target := range shapes() {
		attrs, err := lookUp(target)
		if err != nil {
			continue
		}
		attrs = append(attrs, number(ctaID, target.ID), netfilter.Attribute{Type: 99, Data: []byte{1}})
		got, err := encode(ctDelete, netlink.Request|netlink.Acknowledge, target.Family, 77, attrs)
		if err != nil {
			t.Fatal(err)
		}
		m, err := netfilter.MarshalNetlink(netfilter.Header{
			SubsystemID: netfilter.NFSubsysCTNetlink, MessageType: ctDelete,
			Flags: netlink.Request | netlink.Acknowledge, Family: netfilter.ProtoFamily(target.Family),
		}, attrs)
		if err != nil {
			t.Fatal(err)
		}
		m.Header.Length, m.Header.Sequence = uint32(headerSize+len(m.Data)), 77
		want, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.bytes, want) {
			t.Errorf("%v: got\n%x, want\n%x", target, got.bytes, want)
		}
	}
	if _, err := encode(ctGet, 0, 0, 1, []netfilter.Attribute{{Type: 1, Data: make([]byte, 1<<16)}}); !errors.Is(err, ErrRefused) {
		t.Errorf("an attribute whose length has no room: %v", err)
	}
}

func TestDumpsNameNothing(t *testing.T) {
	for name, c := range map[string]struct {
		build func(uint32) (request, error)
		typ   uint16
	}{"table": {encodeDump, 1}, "stats": {encodeStats, 4}} {
		r, err := c.build(9)
		if err != nil {
			t.Fatal(err)
		}
		m := parseRequest(t, r)
		header(t, m, c.typ, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
		if m.family != unix.AF_UNSPEC || len(m.attrs) != 0 {
			t.Errorf("%s: family %d, attributes %v", name, m.family, m.attrs)
		}
	}
}

func TestRefusedEntries(t *testing.T) {
	good := shapes()[0]
	cases := map[string]func(*Entry){
		"zero entry":             func(e *Entry) { *e = Entry{} },
		"no family":              func(e *Entry) { e.target.Family = 0 },
		"another family":         func(e *Entry) { e.target.Family = ipc.FamilyIPv6 },
		"no source":              func(e *Entry) { e.target.Orig.Src = netip.Addr{} },
		"no destination":         func(e *Entry) { e.target.Orig.Dst = netip.Addr{} },
		"no reply":               func(e *Entry) { e.target.Reply = ipc.Tuple{} },
		"mixed families":         func(e *Entry) { e.target.Orig.Dst = netip.IPv6LinkLocalAllNodes() },
		"mapped address in IPv4": func(e *Entry) { e.target.Orig.Dst = netip.MustParseAddr("::ffff:192.0.2.1") },
		"two zones":              func(e *Entry) { e.target.Orig.Zone, e.target.Reply.Zone = 7, 8 },
		"unknown kind":           func(e *Entry) { e.target.Orig.Kind = 3 },
		"ICMP kind with TCP":     func(e *Entry) { e.target.Protocol, e.target.Orig.Kind = unix.IPPROTO_TCP, ipc.ICMP },
		"ports without kind":     func(e *Entry) { e.target.Orig.SrcPort = 1 },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			e := Entry{target: good}
			spoil(&e)
			_, get := encodeGet(e.target, 1)
			_, del := encodeDelete(e, 1)
			_, mark := encodeMark(e, 1, 1, 1)
			_, timeout := encodeTimeout(e, 10, 1)
			for _, err := range []error{get, del, mark, timeout} {
				if !errors.Is(err, ErrRefused) {
					t.Errorf("error %v, want a refusal", err)
				}
			}
		})
	}
}

func TestRefusedValues(t *testing.T) {
	e := Entry{target: shapes()[0]}
	for name, v := range map[string][2]uint32{
		"no mask": {1, 0}, "one bit outside": {3, 1}, "all bits outside": {0xff00, 0x00ff}, "top bit": {math.MaxUint32, math.MaxInt32},
	} {
		if _, err := encodeMark(e, v[0], v[1], 1); !errors.Is(err, ErrRefused) {
			t.Errorf("mark %s: error %v", name, err)
		}
	}
	for _, seconds := range []uint32{0, ipc.MaxTimeout + 1, math.MaxInt32, math.MaxUint32} {
		if _, err := encodeTimeout(e, seconds, 1); !errors.Is(err, ErrRefused) {
			t.Errorf("timeout %d: error %v", seconds, err)
		}
	}
}

// FuzzEncode makes entries of anything: whatever is not refused obeys the same rules.
func FuzzEncode(f *testing.F) {
	src, dst := netip.MustParseAddr("192.0.2.1").AsSlice(), netip.MustParseAddr("2001:db8::1").AsSlice()
	f.Add(uint8(2), uint8(6), src, src, uint64(1)<<56|1<<48, uint32(0), uint32(5), uint32(7), uint32(10))
	f.Add(uint8(10), uint8(58), dst, dst, uint64(2)<<56|2<<48|7<<32|7<<16, uint32(8), uint32(0), uint32(0), uint32(1))
	f.Add(uint8(2), uint8(0), []byte{}, []byte{}, uint64(0), uint32(0), uint32(1), uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, family, protocol uint8, a, b []byte, rest uint64, status, value, mask, seconds uint32) {
		src, _ := netip.AddrFromSlice(a)
		dst, _ := netip.AddrFromSlice(b)
		e := Entry{status: status, target: ipc.Target{Family: family, Protocol: protocol, ID: uint32(rest) ^ status}}
		e.target.Orig = ipc.Tuple{Src: src, Dst: dst, Zone: uint16(rest >> 32), Kind: ipc.PortKind(rest >> 56), SrcPort: uint16(rest), DstPort: uint16(value)}
		e.target.Reply = ipc.Tuple{Src: dst, Dst: src, Zone: uint16(rest >> 16), Kind: ipc.PortKind(rest>>48) & 0xff}
		_, delErr := encodeDelete(e, 1)
		_, markErr := encodeMark(e, value, mask, 1)
		_, timeoutErr := encodeTimeout(e, seconds, 1)
		if delErr != nil {
			if markErr == nil || timeoutErr == nil {
				t.Fatalf("refused to delete %+v, but not to change it", e)
			}
			return
		}
		if markErr != nil {
			value &= mask
		}
		if timeoutErr != nil {
			seconds = 1
		}
		checkAll(t, e, value, mask, seconds)
	})
}
