// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"encoding/binary"
	"math"
	"time"
)

// DecodeAnswer reads one packet of the helper. For data of a dump, data is what
// follows the header and points into packet, and the answer has Op and Seq only.
// Its errors are of type *ProtocolError.
func DecodeAnswer(packet []byte) (a Answer, data []byte, err error) {
	h, body, err := cutHeader(packet)
	if err != nil {
		return Answer{}, nil, err
	}
	if h.kind == kindData && h.op == OpDump {
		if len(body) == 0 || len(body) > MaxDumpData {
			return Answer{}, nil, malformed("%d bytes of dump data", len(body))
		}
		return Answer{Op: h.op, Seq: h.seq}, body, nil
	}
	n, ok := answerSize(h.op)
	if !ok || h.kind != kindAnswer {
		return Answer{}, nil, malformed("operation %d of kind %d", h.op, h.kind)
	}
	if len(body) != n {
		return Answer{}, nil, malformed("%d bytes for the answer to %s, want %d", len(body), h.op, n)
	}
	a = Answer{Op: h.op, Seq: h.seq}
	switch h.op {
	case OpHello:
		a.MaxInFlight = binary.BigEndian.Uint32(body)
		if !zero(body[4:]) {
			err = malformed("reserved bytes of the hello answer are not zero")
		}
	case OpStats:
		a.Stats, err = decodeStats(body)
	case OpDump:
		a.End, err = decodeDumpEnd(body)
	case OpKill, OpChange:
		a.Result, err = decodeResult(body)
	}
	if err != nil {
		return Answer{}, nil, err
	}
	return a, nil, nil
}

func decodeStats(b []byte) (Stats, error) {
	s := Stats{
		Known:   binary.BigEndian.Uint32(b),
		Count:   binary.BigEndian.Uint32(b[4:]),
		Max:     binary.BigEndian.Uint32(b[8:]),
		Buckets: binary.BigEndian.Uint32(b[12:]),
		CPUs:    binary.BigEndian.Uint32(b[20:]),
	}
	if s.Known&^statAll != 0 || b[16]|b[17]|b[18] > 1 || b[19] != 0 || !zero(b[104:]) {
		return Stats{}, malformed("stats with values outside their range")
	}
	s.Accounting, s.Timestamps, s.TCPLoose = b[16] == 1, b[17] == 1, b[18] == 1
	for i := range s.PerCPU {
		s.PerCPU[i] = binary.BigEndian.Uint64(b[24+8*i:])
	}
	return s, nil
}

func decodeDumpEnd(b []byte) (DumpEnd, error) {
	spent := binary.BigEndian.Uint64(b[16:])
	if !zero(b[4:7]) || b[7] > 1 || !zero(b[24:]) || spent > math.MaxInt64 {
		return DumpEnd{}, malformed("end of a dump with values outside their range")
	}
	return DumpEnd{
		Errno:       binary.BigEndian.Uint32(b),
		Interrupted: b[7] == 1,
		Bytes:       binary.BigEndian.Uint64(b[8:]),
		Spent:       time.Duration(spent),
	}, nil
}

func decodeResult(b []byte) (Result, error) {
	r := Result{
		Outcome: Outcome(b[0]),
		Errno:   binary.BigEndian.Uint16(b[2:]),
		Retry:   time.Duration(binary.BigEndian.Uint32(b[12:])) * time.Millisecond,
	}
	before, after := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if b[1]&resultOld != 0 {
		r.Old = &before
	}
	if b[1]&resultNew != 0 {
		r.New = &after
	}
	if r.Outcome < Killed || int(r.Outcome) >= len(outcomeNames) || b[1]&^(resultOld|resultNew) != 0 ||
		r.Old == nil && before != 0 || r.New == nil && after != 0 || !zero(b[80:]) {
		return Result{}, malformed("result with values outside their range")
	}
	var err error
	r.Rule, err = decodeText(b[16:80])
	return r, err
}
