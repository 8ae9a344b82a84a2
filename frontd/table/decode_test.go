// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

func TestDecodeTargets(t *testing.T) {
	for name, want := range helpertest.Targets() {
		s := build(t, conn(want))
		if s.Len() != 1 || s.Malformed() != 0 {
			t.Errorf("%s: %d rows, %d malformed", name, s.Len(), s.Malformed())
			continue
		}
		if got := s.Target(0); got != want {
			t.Errorf("%s: target %+v, want %+v", name, got, want)
		}
		if row, ok := s.FindTarget(want); !ok || row != 0 {
			t.Errorf("%s: not found", name)
		}
	}
}

// goodConn has all attributes; its parts are spoilt one by one below.
func goodConn() (ipc.Target, msg) {
	u := target(6, "192.0.2.1", "192.0.2.2", 5)
	return u, conn(u, attr32(ctaStatus, 14), attr32(ctaTimeout, 600))
}

func TestDecodeRefusesMessage(t *testing.T) {
	u, _ := goodConn()
	o, r := tupleAttr(ctaTupleOrig, 6, u.Orig, false), tupleAttr(ctaTupleReply, 6, u.Reply, false)
	ip := nest(ctaTupleIP, attr(ctaIPv4Src, 1, 2, 3, 4), attr(ctaIPv4Dst, 1, 2, 3, 4))
	tcp := attr(ctaProtoNum, 6)
	orig := func(parts ...msg) msg { return packet(ipc.FamilyIPv4, nest(ctaTupleOrig, parts...), r) }
	with := func(parts ...msg) msg { return conn(u, parts...) }
	icmp := func(parts ...msg) msg {
		v := target(protoICMP, "192.0.2.1", "192.0.2.2", 5)
		l4 := nest(ctaTupleProto, append([]msg{attr(ctaProtoNum, protoICMP)}, parts...)...)
		return packet(ipc.FamilyIPv4, nest(ctaTupleOrig, ip, l4), tupleAttr(ctaTupleReply, protoICMP, v.Reply, false))
	}
	tests := map[string]msg{
		"no header of netfilter":         rawPacket(nlTypeNew, msg{ipc.FamilyIPv4, 0, 0}),
		"no body":                        rawPacket(nlTypeNew, nil),
		"another type":                   rawPacket(nlTypeNew+2, msg{ipc.FamilyIPv4, 0, 0, 0}),
		"an error of the kernel":         rawPacket(2, msg{1, 0, 0, 0}),
		"family 0":                       packet(0, o, r),
		"family bridge":                  packet(7, o, r),
		"family of other addresses":      packet(ipc.FamilyIPv6, o, r),
		"no attributes":                  packet(ipc.FamilyIPv4),
		"no reply":                       packet(ipc.FamilyIPv4, o),
		"no original":                    packet(ipc.FamilyIPv4, r),
		"empty tuple":                    orig(),
		"no addresses":                   orig(nest(ctaTupleProto, tcp)),
		"no protocol":                    orig(ip),
		"no protocol number":             orig(ip, nest(ctaTupleProto, attr16(ctaProtoSrcPort, 1), attr16(ctaProtoDstPort, 2))),
		"no destination":                 orig(nest(ctaTupleIP, attr(ctaIPv4Src, 1, 2, 3, 4)), nest(ctaTupleProto, tcp)),
		"other protocol in reply":        packet(ipc.FamilyIPv4, o, tupleAttr(ctaTupleReply, 17, u.Reply, false)),
		"address of 3 bytes":             orig(nest(ctaTupleIP, attr(ctaIPv4Src, 1, 2, 3), attr(ctaIPv4Dst, 1, 2, 3, 4)), nest(ctaTupleProto, tcp)),
		"IPv4 address of 16 bytes":       orig(nest(ctaTupleIP, attr(ctaIPv4Src, make([]byte, 16)...)), nest(ctaTupleProto, tcp)),
		"protocol number of 2 bytes":     orig(ip, nest(ctaTupleProto, attr(ctaProtoNum, 6, 0))),
		"protocol number of no bytes":    orig(ip, nest(ctaTupleProto, attr(ctaProtoNum))),
		"port of one byte":               orig(ip, nest(ctaTupleProto, tcp, attr(ctaProtoSrcPort, 1))),
		"source port alone":              orig(ip, nest(ctaTupleProto, tcp, attr16(ctaProtoSrcPort, 1))),
		"destination port alone":         orig(ip, nest(ctaTupleProto, tcp, attr16(ctaProtoDstPort, 1))),
		"ICMP id alone":                  icmp(attr16(ctaProtoICMPID, 1)),
		"ICMP id of one byte":            icmp(attr(ctaProtoICMPID, 1)),
		"ICMP type of two bytes":         icmp(attr16(ctaProtoICMPType, 1)),
		"ICMP without code":              icmp(attr16(ctaProtoICMPID, 1), attr(ctaProtoICMPType, 8)),
		"zone of 4 bytes":                with(attr32(ctaZone, 1)),
		"zone of a tuple of 4 bytes":     orig(ip, nest(ctaTupleProto, tcp), attr32(ctaTupleZone, 1)),
		"status of 8 bytes":              with(attr64(ctaStatus, 1)),
		"timeout of 2 bytes":             with(attr16(ctaTimeout, 1)),
		"mark of no bytes":               with(attr(ctaMark)),
		"id of 3 bytes":                  with(attr(ctaID, 1, 2, 3)),
		"use of 5 bytes":                 with(attr(ctaUse, 1, 2, 3, 4, 5)),
		"counter of 2 bytes":             with(nest(ctaCountersOrig, attr16(ctaCountersBytes, 1))),
		"start of 4 bytes less one":      with(nest(ctaTimestamp, attr(ctaTimestampStart, 1, 2, 3))),
		"state of 2 bytes":               with(nest(ctaProtoinfo, nest(ctaProtoinfoTCP, attr16(ctaProtoinfoState, 1)))),
		"state of no bytes":              with(nest(ctaProtoinfo, nest(ctaProtoinfoSCTP, attr(ctaProtoinfoState)))),
		"labels of 12 bytes":             with(attr(ctaLabels, make([]byte, 12)...)),
		"labels of 24 bytes":             with(attr(ctaLabels, make([]byte, 24)...)),
		"labels of no bytes":             with(attr(ctaLabels)),
		"attribute of length 3":          with(msg{3, 0, ctaMark, 0}),
		"attribute of length 0":          with(msg{0, 0, ctaMark, 0}),
		"attribute header cut":           with(msg{8, 0, ctaMark}),
		"attribute overruns the message": with(msg{9, 0, 99, 0, 1, 2, 3, 4}),
		"nested attribute overruns":      with(nest(ctaCountersOrig, msg{200, 0, ctaCountersBytes, 0, 1, 2, 3, 4})),
		"state overruns":                 with(nest(ctaProtoinfo, nest(ctaProtoinfoTCP, msg{9, 0, 1, 0, 1, 2, 3, 4}))),
		"protocol info overruns":         with(nest(ctaProtoinfo, msg{9, 0, 1, 0, 1, 2, 3, 4})),
		"helper overruns":                with(nest(ctaHelp, msg{9, 0, 1, 0, 1, 2, 3, 4})),
		"start overruns":                 with(nest(ctaTimestamp, msg{9, 0, 1, 0, 1, 2, 3, 4})),
		"tuple overruns":                 orig(msg{9, 0, 1, 0, 1, 2, 3, 4}),
		"addresses overrun":              orig(nest(ctaTupleIP, msg{9, 0, 1, 0, 1, 2, 3, 4})),
		"protocol overruns":              orig(ip, nest(ctaTupleProto, msg{9, 0, 1, 0, 1, 2, 3, 4})),
	}
	_, good := goodConn()
	for name, m := range tests {
		// Its neighbours must not suffer; messages start at multiples of four.
		for len(m)%nlAlign != 0 {
			m = append(m, 0)
		}
		other := conn(target(17, "192.0.2.1", "192.0.2.2", 6))
		s := build(t, good, m, other)
		if s.Malformed() != 1 || s.Len() != 2 {
			t.Errorf("%s: %d malformed, %d rows", name, s.Malformed(), s.Len())
		}
	}
}

func TestDecodeRefusesFraming(t *testing.T) {
	_, good := goodConn()
	length := func(n uint32) msg {
		m := append(msg(nil), good...)
		binary.NativeEndian.PutUint32(m, n)
		return m
	}
	for name, m := range map[string]msg{
		"one byte":           {1},
		"header cut":         good[:nlHeaderSize-1],
		"message cut":        good[:len(good)-1],
		"second message cut": cat(good, good[:20]),
		"length 0":           length(0),
		"length 15":          length(nlHeaderSize - 1),
		"one byte too long":  length(uint32(len(good)) + 1),
		"4 GiB":              length(1<<32 - 1),
		"ends in between":    length(uint32(len(good)) - 8),
	} {
		b := newBuilder(time.Now(), 1, nil, maphash.MakeSeed())
		err := b.add(m, 0)
		var framing *FramingError
		if !errors.As(err, &framing) {
			t.Errorf("%s: %v, want a *FramingError", name, err)
		}
	}
}

func TestDecodeSkipsWhatItDoesNotKnow(t *testing.T) {
	u, _ := goodConn()
	m := cat(rawPacket(nlTypeNoop, nil), rawPacket(nlTypeDone, msg{0, 0, 0, 0}),
		conn(u, attr(99, 1, 2, 3), nest(98, msg{1}), attr(ctaMark|0x4000, 0, 0, 0, 5),
			nest(ctaCountersOrig, attr64(5, 0), attr32(ctaCounters32Packets, 3), attr32(ctaCounters32Bytes, 300)),
			nest(ctaCountersReply, attr64(ctaCountersBytes, 9)),
			nest(ctaProtoinfo, nest(9, attr(1, 7))), nest(ctaHelp, attr(2, 1)), nest(ctaTimestamp, attr64(2, 1)), nest(ctaSecctx)))
	s := build(t, m)
	if s.Len() != 1 || s.Malformed() != 0 {
		t.Fatalf("%d rows, %d malformed", s.Len(), s.Malformed())
	}
	const want = hasID | hasOrigPorts | hasReplPorts | hasMark | hasOrigCounters
	if s.has[0] != want || s.mark[0] != 5 || s.counter[origPackets][0] != 3 || s.counter[origBytes][0] != 300 {
		t.Errorf("has %#x, want %#x; mark %d, %d packets, %d bytes", s.has[0], want,
			s.mark[0], s.counter[origPackets][0], s.counter[origBytes][0])
	}
}

func TestMarkLeftOutIsZero(t *testing.T) {
	a, b := conn(target(6, "192.0.2.1", "192.0.2.2", 1)), target(6, "192.0.2.1", "192.0.2.2", 2)
	if s := build(t, a, conn(b)); s.has[0]&hasMark != 0 || s.has[1]&hasMark != 0 {
		t.Error("a kernel without marks shows them")
	}
	if s := build(t, a, conn(b, attr32(ctaMark, 7))); s.has[0]&hasMark == 0 || s.mark[0] != 0 || s.mark[1] != 7 {
		t.Error("a mark that the kernel left out is not 0")
	}
}

func TestLabels(t *testing.T) {
	word := func(lo, hi uint64) msg {
		return attr(ctaLabels, binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, lo), hi)...)
	}
	u, _ := goodConn()
	for want, m := range map[string]msg{
		"":                                   word(0, 0),
		"0x1":                                word(1, 0),
		"0x20":                               word(1<<5, 0),
		"0x400000000000000020":               word(1<<5, 1<<6),
		"0x80000000000000000000000000000000": word(0, 1<<63),
		"0xff":                               attr(ctaLabels, binary.NativeEndian.AppendUint64(nil, 255)...),
	} {
		s := build(t, conn(u, m))
		got := ""
		if s.has[0]&hasLabels != 0 {
			got = s.names[s.labels[0]]
		}
		if got != want {
			t.Errorf("labels %q, want %q", got, want)
		}
	}
}

func TestDecodeNames(t *testing.T) {
	u, _ := goodConn()
	for raw, want := range map[string]string{
		"ftp": "ftp", "": "", "a\x00b": "a", "\x00": "", "\x1b[31m": "?[31m", "\xff\xfe": "??",
		"\u202eevil": "?evil", strings.Repeat("x", 65): strings.Repeat("x", 64), strings.Repeat("x", 3000): strings.Repeat("x", 64),
	} {
		s := build(t, conn(u, nest(ctaHelp, attrText(ctaHelpName, raw))))
		got := ""
		if s.has[0]&hasHelper != 0 {
			got = s.names[s.helper[0]]
		}
		if got != want {
			t.Errorf("helper %q shows as %q, want %q", raw, got, want)
		}
	}
}

func TestDecodeNamesAreBounded(t *testing.T) {
	b := newBuilder(time.Now(), maxNames, nil, maphash.MakeSeed())
	for i := range maxNames + 10 {
		m := conn(target(6, "192.0.2.1", "192.0.2.2", i), nest(ctaHelp, attrText(ctaHelpName, fmt.Sprintf("helper-%d", i))))
		if err := b.add(m, 0); err != nil {
			t.Fatal(err)
		}
	}
	s := b.finish("", ipc.DumpEnd{}, 0)
	if len(s.names) != maxNames || s.Len() != maxNames+10 {
		t.Fatalf("%d names, %d rows", len(s.names), s.Len())
	}
	for row := range s.Len() {
		if named := s.has[row]&hasHelper != 0; named != (row < maxNames) || named && s.names[s.helper[row]] != fmt.Sprintf("helper-%d", row) {
			t.Fatalf("row %d: named %t", row, named)
		}
	}
}

func FuzzDecode(f *testing.F) {
	_, good := goodConn()
	f.Add([]byte(good))
	f.Add([]byte(cat(good, good)))
	for _, u := range helpertest.Targets() {
		f.Add([]byte(conn(u, counters(1, 2, 3, 4), attr32(ctaMark, 1), started(time.Unix(1, 1)),
			nest(ctaHelp, attrText(ctaHelpName, "ftp")), attr(ctaLabels, make([]byte, 16)...),
			nest(ctaProtoinfo, nest(ctaProtoinfoTCP, attr(1, 3))), nest(ctaSecctx, attrText(1, "ctx")))))
	}
	seed := maphash.MakeSeed()
	f.Fuzz(func(t *testing.T, data []byte) {
		b := newBuilder(time.Now(), 0, nil, seed)
		if b.add(data, 0) != nil {
			return
		}
		s := b.finish("", ipc.DumpEnd{}, 0)
		if s.Len()*nlHeaderSize > len(data) {
			t.Fatalf("%d rows from %d bytes", s.Len(), len(data))
		}
		for row := range int32(s.Len()) {
			u := s.Target(row)
			if err := u.Check(); err != nil {
				t.Fatalf("row %d cannot be named to the helper: %v", row, err)
			}
			if back, err := ident.DecodeKey(s.Key(row)); err != nil || back != u {
				t.Fatalf("row %d: key %q gives %+v, %v", row, s.Key(row), back, err)
			}
			if found, ok := s.FindTarget(u); !ok || found != row {
				t.Fatalf("row %d is found in %d, %t", row, found, ok)
			}
		}
		for _, name := range s.names {
			if !ipc.ValidText(name) {
				t.Fatalf("name %q", name)
			}
		}
	})
}
