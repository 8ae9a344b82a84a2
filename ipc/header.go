// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"encoding/binary"
	"fmt"
)

// Limits of the protocol, the same on both sides.
const (
	// MaxInFlight is how many requests of one control connection may be unanswered.
	MaxInFlight = 256
	// MaxDumpData is the most bytes of netlink messages in one packet of a dump.
	MaxDumpData = 65536
	// MaxTimeout is the longest timeout that can be set, in seconds: the kernel keeps
	// it in jiffies of a signed 32-bit number, and at HZ=1000 more would wrap.
	MaxTimeout = 2147483
	// TextSize is the size of the text fields, in bytes.
	TextSize = 64
)

const (
	magic      = 0x4e43
	version    = 1
	headerSize = 24

	targetSize = 88
	tupleSize  = 40
	actorSize  = 8 + 2*TextSize
)

// MaxRequest is the size of the largest request, header included.
const MaxRequest = headerSize + changeRequestSize

// Op is an operation of the helper. There are no others.
type Op uint8

// The operations.
const (
	OpHello  Op = 1
	OpStats  Op = 2
	OpDump   Op = 3
	OpKill   Op = 4
	OpChange Op = 5
)

// String gives the operation's name for logs.
func (o Op) String() string {
	switch o {
	case OpHello:
		return "hello"
	case OpStats:
		return "stats"
	case OpDump:
		return "dump"
	case OpKill:
		return "kill"
	case OpChange:
		return "change"
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

type kind uint8

const (
	kindRequest kind = 0
	kindAnswer  kind = 1
	kindData    kind = 2
)

const (
	helloRequestSize  = 8
	helloAnswerSize   = 8
	statsAnswerSize   = 112
	dumpAnswerSize    = 32
	killRequestSize   = targetSize + actorSize
	changeRequestSize = killRequestSize + 16
	resultAnswerSize  = 88
)

// requestSize gives the size of an operation's request behind the header.
func requestSize(o Op) (int, bool) {
	switch o {
	case OpHello:
		return helloRequestSize, true
	case OpStats, OpDump:
		return 0, true
	case OpKill:
		return killRequestSize, true
	case OpChange:
		return changeRequestSize, true
	}
	return 0, false
}

// answerSize gives the size of an operation's answer behind the header.
func answerSize(o Op) (int, bool) {
	switch o {
	case OpHello:
		return helloAnswerSize, true
	case OpStats:
		return statsAnswerSize, true
	case OpDump:
		return dumpAnswerSize, true
	case OpKill, OpChange:
		return resultAnswerSize, true
	}
	return 0, false
}

// A ProtocolError says that the other side broke the protocol. The connection it
// came from cannot be used any more.
type ProtocolError struct {
	Reason string
}

func (e *ProtocolError) Error() string { return "malformed packet: " + e.Reason }

func malformed(format string, args ...any) error {
	return &ProtocolError{Reason: fmt.Sprintf(format, args...)}
}

type header struct {
	op   Op
	kind kind
	seq  uint64
}

func appendHeader(b []byte, h header, length int) []byte {
	b = binary.BigEndian.AppendUint16(b, magic)
	b = append(b, version, byte(h.op), byte(h.kind), 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, h.seq)
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	return append(b, 0, 0, 0, 0)
}

// setSeq numbers a packet that is made already.
func setSeq(packet []byte, seq uint64) { binary.BigEndian.PutUint64(packet[8:], seq) }

// cutHeader checks the header and returns what follows it.
func cutHeader(b []byte) (header, []byte, error) {
	if len(b) < headerSize {
		return header{}, nil, malformed("%d bytes, shorter than a header", len(b))
	}
	if m := binary.BigEndian.Uint16(b); m != magic {
		return header{}, nil, malformed("magic %#x", m)
	}
	if b[2] != version {
		return header{}, nil, malformed("version %d, this is version %d", b[2], version)
	}
	if !zero(b[5:8]) || !zero(b[20:headerSize]) {
		return header{}, nil, malformed("reserved bytes of the header are not zero")
	}
	h := header{op: Op(b[3]), kind: kind(b[4]), seq: binary.BigEndian.Uint64(b[8:])}
	body := b[headerSize:]
	if n := binary.BigEndian.Uint32(b[16:]); uint64(n) != uint64(len(body)) {
		return header{}, nil, malformed("length says %d, %d bytes follow", n, len(body))
	}
	return h, body, nil
}

// zero reports whether all bytes are zero, as reserved ones have to be.
func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
