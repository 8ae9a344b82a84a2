// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"nuconntrack/ipc"

	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// netlinkMessage builds what the kernel would send.
func netlinkMessage(typ, flags uint16, seq, port uint32, body ...byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(headerSize+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, port)
	return append(b, body...)
}

func errorBody(errno int32) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(errno))
}

func tupleAttr(typ uint16, protocol uint8, u ipc.Tuple) netfilter.Attribute {
	return netfilter.Attribute{Type: typ, Nested: true, Children: []netfilter.Attribute{
		addressesOf(u), protocolOf(protocol, u),
	}}
}

// addressesOf and protocolOf give the encoder's attributes, which encode_test.go reads
// with a parser of its own.
func addressesOf(u ipc.Tuple) netfilter.Attribute { return addresses(u.Src, u.Dst) }

func protocolOf(n uint8, u ipc.Tuple) netfilter.Attribute { return protocol(n, u) }

// connectionAttrs is a connection as the kernel reports it.
func connectionAttrs(t ipc.Target) []netfilter.Attribute {
	return []netfilter.Attribute{
		tupleAttr(ctaTupleOrig, t.Protocol, t.Orig), tupleAttr(ctaTupleReply, t.Protocol, t.Reply),
		number(ctaStatus, 0x18e), number(ctaID, t.ID), number(ctaMark, 5), number(ctaTimeout, 600),
	}
}

func connectionMessage(t testing.TB, family uint8, attrs []netfilter.Attribute) []byte {
	t.Helper()
	b, err := netfilter.MarshalAttributes(attrs)
	if err != nil {
		t.Fatal(err)
	}
	return netlinkMessage(messageType(ctNew), 0, 1, 2, append([]byte{family, 0, 0, 0}, b...)...)
}

func TestEntriesAreDecoded(t *testing.T) {
	for _, want := range shapes() {
		attrs := connectionAttrs(want)
		switch {
		case want.Orig.Zone == want.Reply.Zone:
			attrs = append(attrs, zone(ctaZone, want.Orig.Zone))
		case want.Orig.Zone != 0:
			attrs[0].Children = append(attrs[0].Children, zone(ctaTupleZone, want.Orig.Zone))
		default:
			attrs[1].Children = append(attrs[1].Children, zone(ctaTupleZone, want.Reply.Zone))
		}
		e, err := decodeEntry(connectionMessage(t, want.Family, attrs))
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if e.Target() != want {
			t.Fatalf("got %+v\nwant %+v", e.Target(), want)
		}
		if seconds, known := e.Timeout(); !known || seconds != 600 || e.Mark() != 5 || e.Status() != 0x18e || e.FixedTimeout() {
			t.Fatalf("values differ: %+v", e)
		}
	}
}

func TestUnknownAttributesDoNoHarm(t *testing.T) {
	want := shapes()[0]
	attrs := append(connectionAttrs(want),
		netfilter.Attribute{Type: 200, Data: []byte{1, 2, 3}},
		netfilter.Attribute{Type: 5, Data: []byte{0xff, 0xff, 0xff, 0xff}}, // CTA_HELP, not nested
		netfilter.Attribute{Type: ctaTupleProto | 0x100, Nested: true})
	attrs[0].Children = append(attrs[0].Children, netfilter.Attribute{Type: 99, Data: []byte("x")})
	attrs[0].Children[0].Children = append(attrs[0].Children[0].Children, netfilter.Attribute{Type: 98})
	attrs[0].Children[1].Children = append(attrs[0].Children[1].Children, netfilter.Attribute{Type: 97, Data: make([]byte, 9)})
	e, err := decodeEntry(connectionMessage(t, want.Family, attrs))
	if err != nil || e.Target() != want {
		t.Errorf("got %+v, %v", e.Target(), err)
	}
}

func TestAbsentValues(t *testing.T) {
	want := shapes()[0]
	e, err := decodeEntry(connectionMessage(t, want.Family, connectionAttrs(want)[:4]))
	if err != nil {
		t.Fatal(err)
	}
	if _, known := e.Timeout(); known || e.Mark() != 0 {
		t.Errorf("a timeout that was not sent is known, or mark %d", e.Mark())
	}
}

func TestMalformedEntries(t *testing.T) {
	target := shapes()[0]
	good := func() []netfilter.Attribute { return connectionAttrs(target) }
	short := func(i int) []netfilter.Attribute {
		a := good()
		a[i].Data = a[i].Data[:3]
		return a
	}
	otherProtocol := good()
	otherProtocol[1] = tupleAttr(ctaTupleReply, 99, target.Reply)
	shortAddress := good()
	shortAddress[0].Children[0].Children[0].Data = []byte{1, 2, 3}
	longAddress := good()
	longAddress[0].Children[0].Children[0].Data = make([]byte, 16)
	noAddress := good()
	noAddress[1].Children[0].Children = nil
	notATuple := good()
	notATuple[0] = netfilter.Attribute{Type: ctaTupleOrig, Data: []byte{0xff, 0xff, 1, 2}}
	cases := map[string][]byte{
		"empty":               {},
		"header alone":        connectionMessage(t, 2, nil)[:headerSize],
		"no attributes":       connectionMessage(t, 2, nil),
		"no orig":             connectionMessage(t, 2, good()[1:]),
		"no reply":            connectionMessage(t, 2, append(good()[:1], good()[2:]...)),
		"no status":           connectionMessage(t, 2, append(good()[:2], good()[3:]...)),
		"no id":               connectionMessage(t, 2, append(good()[:3], good()[4:]...)),
		"short status":        connectionMessage(t, 2, short(2)),
		"short id":            connectionMessage(t, 2, short(3)),
		"short mark":          connectionMessage(t, 2, short(4)),
		"short timeout":       connectionMessage(t, 2, short(5)),
		"family of no use":    connectionMessage(t, 7, good()),
		"another family":      connectionMessage(t, 10, good()),
		"two protocols":       connectionMessage(t, 2, otherProtocol),
		"short address":       connectionMessage(t, 2, shortAddress),
		"long address":        connectionMessage(t, 2, longAddress),
		"no address":          connectionMessage(t, 2, noAddress),
		"tuple of no tuple":   connectionMessage(t, 2, notATuple),
		"attribute cut short": append(connectionMessage(t, 2, good()), 9, 0, 1, 0, 1),
	}
	for name, b := range cases {
		if e, err := decodeEntry(b); !errors.Is(err, errMalformed) || e != (Entry{}) {
			t.Errorf("%s: got %+v, %v", name, e, err)
		}
	}
}

func FuzzDecodeEntry(f *testing.F) {
	for _, target := range []ipc.Target{shapes()[0], shapes()[len(shapes())-1]} {
		f.Add(connectionMessage(f, target.Family, connectionAttrs(target)))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		if _, err := encodeGet(e.target, 1); err != nil {
			return // two zones
		}
		checkAll(t, e, 0, 0, 1)
	})
}

func TestAnswers(t *testing.T) {
	const seq, port = 5, 6
	connection := netlinkMessage(messageType(ctNew), 0, seq, port, 2, 0, 0, 0)
	ack := netlinkMessage(unix.NLMSG_ERROR, 0, seq, port, errorBody(0)...)
	noent := netlinkMessage(unix.NLMSG_ERROR, 0, seq, port, errorBody(-int32(unix.ENOENT))...)
	cases := []struct {
		name   string
		packet []byte
		wanted bool
		errno  unix.Errno
		bad    bool
	}{
		{name: "connection", packet: connection, wanted: true},
		{name: "acknowledgement", packet: ack},
		{name: "refusal of a read", packet: noent, wanted: true, errno: unix.ENOENT},
		{name: "refusal of a change", packet: noent, errno: unix.ENOENT},
		{name: "acknowledgement of a read", packet: ack, wanted: true, bad: true},
		{name: "connection for a change", packet: connection, bad: true},
		{name: "empty", packet: nil, bad: true},
		{name: "half a header", packet: ack[:8], bad: true},
		{name: "cut short", packet: ack[:len(ack)-1], bad: true},
		{name: "two messages", packet: append(ack[:len(ack):len(ack)], ack...), bad: true},
		{name: "earlier request", packet: netlinkMessage(unix.NLMSG_ERROR, 0, seq-1, port, errorBody(0)...), bad: true},
		{name: "another port", packet: netlinkMessage(unix.NLMSG_ERROR, 0, seq, port+1, errorBody(0)...), bad: true},
		{name: "error without number", packet: netlinkMessage(unix.NLMSG_ERROR, 0, seq, port), bad: true},
		{name: "positive error", packet: netlinkMessage(unix.NLMSG_ERROR, 0, seq, port, errorBody(2)...), bad: true},
		{name: "smallest error", packet: netlinkMessage(unix.NLMSG_ERROR, 0, seq, port, errorBody(math.MinInt32)...), bad: true},
		{name: "end of a dump", packet: netlinkMessage(unix.NLMSG_DONE, 0, seq, port, errorBody(0)...), bad: true},
		{name: "nothing", packet: netlinkMessage(unix.NLMSG_NOOP, 0, seq, port), bad: true},
		{name: "expectation", packet: netlinkMessage(2<<8, 0, seq, port, 2, 0, 0, 0), wanted: true, bad: true},
		{name: "length 0", packet: make([]byte, headerSize), bad: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer, errno, err := answerIn(c.packet, seq, port, c.wanted)
			if c.bad != errors.Is(err, errMalformed) || errno != c.errno {
				t.Errorf("got %v, %v", errno, err)
			}
			if got, want := len(answer) > 0, c.wanted && !c.bad && c.errno == 0; got != want {
				t.Errorf("answer of %d bytes", len(answer))
			}
		})
	}
}

func TestPacketsOfADump(t *testing.T) {
	const seq, port = 5, 6
	join := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	want := messageType(ctNew)
	entry := netlinkMessage(want, unix.NLM_F_MULTI, seq, port, 2, 0, 0, 0)
	torn := netlinkMessage(want, unix.NLM_F_MULTI|unix.NLM_F_DUMP_INTR, seq, port, 2, 0, 0, 0)
	done := netlinkMessage(unix.NLMSG_DONE, unix.NLM_F_MULTI, seq, port, errorBody(0)...)
	cases := []struct {
		name              string
		packet            []byte
		messages          int
		done, interrupted bool
		errno             unix.Errno
		bad               bool
	}{
		{name: "entries", packet: join(entry, entry), messages: 2},
		{name: "last entries", packet: join(entry, entry, done), messages: 2, done: true},
		{name: "end alone", packet: done, done: true},
		{name: "end without number", packet: netlinkMessage(unix.NLMSG_DONE, 0, seq, port), done: true},
		{name: "interrupted", packet: join(entry, torn), messages: 2, interrupted: true},
		{name: "interrupted at the end", packet: netlinkMessage(unix.NLMSG_DONE, unix.NLM_F_DUMP_INTR, seq, port, errorBody(0)...), done: true, interrupted: true},
		{name: "failed at the end", packet: join(entry, netlinkMessage(unix.NLMSG_DONE, 0, seq, port, errorBody(-int32(unix.ENOMEM))...)), errno: unix.ENOMEM},
		{name: "refused", packet: netlinkMessage(unix.NLMSG_ERROR, 0, seq, port, errorBody(-int32(unix.EPERM))...), errno: unix.EPERM},
		{name: "acknowledgement", packet: netlinkMessage(unix.NLMSG_ERROR, 0, seq, port, errorBody(0)...), bad: true},
		{name: "entry behind the end", packet: join(done, entry), bad: true},
		{name: "entry of another dump", packet: netlinkMessage(want, 0, seq+1, port, 2, 0, 0, 0), bad: true},
		{name: "entry of another port", packet: netlinkMessage(want, 0, seq, port+1, 2, 0, 0, 0), bad: true},
		{name: "another type", packet: join(entry, netlinkMessage(2<<8, 0, seq, port, 2, 0, 0, 0)), bad: true},
		{name: "cut short", packet: entry[:len(entry)-1], bad: true},
		{name: "rest", packet: join(entry, []byte{1, 2, 3}), bad: true},
		{name: "length below a header", packet: join(entry, make([]byte, headerSize)), bad: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := scan(c.packet, seq, port, want)
			if errors.Is(err, errMalformed) != c.bad || c.errno != 0 && !errors.Is(err, c.errno) {
				t.Fatalf("error %v", err)
			}
			if len(p.messages) != c.messages*len(entry) || p.done != c.done || p.interrupted != c.interrupted {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	entry := netlinkMessage(messageType(ctNew), 0, 1, 2, 2, 0, 0, 0)
	f.Add(append(entry, netlinkMessage(unix.NLMSG_DONE, 0, 1, 2, errorBody(0)...)...))
	f.Add([]byte{21, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := scan(b, 1, 2, messageType(ctNew))
		if err != nil {
			return
		}
		// What is relayed is made of whole connections, and scans to itself.
		again, err := scan(p.messages, 1, 2, messageType(ctNew))
		if err != nil || len(again.messages) != len(p.messages) || again.done {
			t.Fatalf("relayed %x, which scans to %+v, %v", p.messages, again, err)
		}
	})
}

func TestErrors(t *testing.T) {
	gone := error(&Error{Op: "delete", Errno: unix.ENOENT})
	if !errors.Is(gone, ErrNotFound) || !errors.Is(gone, unix.ENOENT) {
		t.Errorf("%v is not what it should be", gone)
	}
	fixed := error(&Error{Op: "fix timeout", Errno: unix.EPERM})
	if errors.Is(fixed, ErrNotFound) || fixed.Error() != "conntrack fix timeout: operation not permitted" {
		t.Errorf("%v is not what it should be", fixed)
	}
}
