// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import "encoding/binary"

// Purpose is what a connection is for.
type Purpose uint8

// The purposes. They are apart so that a kill never waits behind a dump.
const (
	PurposeControl Purpose = 1
	PurposeDump    Purpose = 2
)

// Actor is who asks, as the front daemon claims it, for the audit.
type Actor struct {
	RequestID uint64 // one for all that a client's call causes
	User      string // ValidText
	Client    string // ValidText, an address with port, or a local peer
}

// Field is what a change sets.
type Field uint8

// The fields that can be changed.
const (
	FieldMark    Field = 1
	FieldTimeout Field = 2
)

// String gives the field's name as the outside interface spells it.
func (f Field) String() string {
	switch f {
	case FieldMark:
		return "mark"
	case FieldTimeout:
		return "timeout"
	}
	return "unknown"
}

// Change is a new value for one field. The zero value is not valid.
type Change struct {
	Field Field
	Value uint32 // connmark bits, or seconds from 1 to MaxTimeout
	Mask  uint32 // which bits of the connmark change; 0 for a timeout
}

// Check says whether the change can be put on the wire.
func (c Change) Check() error {
	switch c.Field {
	case FieldMark:
		if c.Value&^c.Mask != 0 {
			return malformed("mark %#x has bits outside its mask %#x", c.Value, c.Mask)
		}
	case FieldTimeout:
		if c.Mask != 0 || c.Value < 1 || c.Value > MaxTimeout {
			return malformed("timeout %d with mask %#x", c.Value, c.Mask)
		}
	default:
		return malformed("field %d", c.Field)
	}
	return nil
}

// Request is what a client asks. Op says which of the other members count; those
// that do not are zero.
type Request struct {
	Op      Op
	Seq     uint64
	Purpose Purpose // hello
	Target  Target  // kill, change
	Actor   Actor   // kill, change
	Change  Change  // change
}

// Append encodes the request behind b. It fails for what DecodeRequest would refuse.
func (r Request) Append(b []byte) ([]byte, error) {
	n, ok := requestSize(r.Op)
	if !ok {
		return b, malformed("operation %d", r.Op)
	}
	b = appendHeader(b, header{op: r.Op, kind: kindRequest, seq: r.Seq}, n)
	switch r.Op {
	case OpHello:
		if err := r.Purpose.check(); err != nil {
			return b, err
		}
		return append(b, byte(r.Purpose), 0, 0, 0, 0, 0, 0, 0), nil
	case OpKill:
		return appendAct(b, r)
	case OpChange:
		if err := r.Change.Check(); err != nil {
			return b, err
		}
		b, err := appendAct(b, r)
		b = append(b, byte(r.Change.Field), 0, 0, 0)
		b = binary.BigEndian.AppendUint32(b, r.Change.Value)
		b = binary.BigEndian.AppendUint32(b, r.Change.Mask)
		return append(b, 0, 0, 0, 0), err
	}
	return b, nil
}

func appendAct(b []byte, r Request) ([]byte, error) {
	if err := r.Target.Check(); err != nil {
		return b, err
	}
	if !ValidText(r.Actor.User) || !ValidText(r.Actor.Client) {
		return b, malformed("text field %q or %q", r.Actor.User, r.Actor.Client)
	}
	b = appendTarget(b, r.Target)
	b = binary.BigEndian.AppendUint64(b, r.Actor.RequestID)
	b = appendText(b, r.Actor.User)
	return appendText(b, r.Actor.Client), nil
}

func (p Purpose) check() error {
	if p != PurposeControl && p != PurposeDump {
		return malformed("purpose %d", p)
	}
	return nil
}

// DecodeRequest reads one packet. What it accepts, Append writes again byte for byte.
// Its errors are of type *ProtocolError.
func DecodeRequest(packet []byte) (Request, error) {
	h, body, err := cutHeader(packet)
	if err != nil {
		return Request{}, err
	}
	n, ok := requestSize(h.op)
	if !ok || h.kind != kindRequest {
		return Request{}, malformed("operation %d of kind %d", h.op, h.kind)
	}
	if len(body) != n {
		return Request{}, malformed("%d bytes for %s, want %d", len(body), h.op, n)
	}
	r := Request{Op: h.op, Seq: h.seq}
	switch h.op {
	case OpHello:
		r.Purpose = Purpose(body[0])
		if !zero(body[1:]) {
			return Request{}, malformed("reserved bytes of hello are not zero")
		}
		err = r.Purpose.check()
	case OpKill:
		err = r.decodeAct(body)
	case OpChange:
		err = r.decodeChange(body)
	}
	if err != nil {
		return Request{}, err
	}
	return r, nil
}

func (r *Request) decodeAct(b []byte) (err error) {
	if r.Target, err = decodeTarget(b[:targetSize]); err != nil {
		return err
	}
	b = b[targetSize:]
	r.Actor.RequestID = binary.BigEndian.Uint64(b)
	if r.Actor.User, err = decodeText(b[8 : 8+TextSize]); err != nil {
		return err
	}
	r.Actor.Client, err = decodeText(b[8+TextSize : actorSize])
	return err
}

func (r *Request) decodeChange(b []byte) error {
	if err := r.decodeAct(b[:killRequestSize]); err != nil {
		return err
	}
	b = b[killRequestSize:]
	if !zero(b[1:4]) || !zero(b[12:]) {
		return malformed("reserved bytes of change are not zero")
	}
	r.Change = Change{
		Field: Field(b[0]),
		Value: binary.BigEndian.Uint32(b[4:]),
		Mask:  binary.BigEndian.Uint32(b[8:]),
	}
	return r.Change.Check()
}
