// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"bytes"
	"testing"
)

// What the decoder accepts the encoder writes again byte for byte: no two packets mean
// the same, and nothing is accepted that is not written in the specification.
func FuzzDecodeRequest(f *testing.F) {
	for _, r := range requests() {
		b, _ := r.Append(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		r, err := DecodeRequest(packet)
		if err != nil {
			return
		}
		again, err := r.Append(nil)
		if err != nil || !bytes.Equal(again, packet) {
			t.Fatalf("%x reads as %+v and writes as %x (%v)", packet, r, again, err)
		}
		if err := r.Target.Check(); (r.Op == OpKill || r.Op == OpChange) && err != nil {
			t.Fatalf("accepted a target that is not one: %v", err)
		}
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	for _, a := range answers() {
		b, _ := a.Append(nil)
		f.Add(b)
	}
	f.Add(append(appendHeader(nil, header{op: OpDump, kind: kindData, seq: 3}, 4), 1, 2, 3, 4))
	f.Fuzz(func(t *testing.T, packet []byte) {
		a, data, err := DecodeAnswer(packet)
		if err != nil || data != nil {
			return
		}
		again, err := a.Append(nil)
		if err != nil || !bytes.Equal(again, packet) {
			t.Fatalf("%x reads as %+v and writes as %x (%v)", packet, a, again, err)
		}
	})
}
