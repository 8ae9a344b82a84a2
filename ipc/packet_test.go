// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden packets anew")

func tcpTarget() Target {
	a := netip.MustParseAddr
	return Target{
		Family: FamilyIPv4, Protocol: 6, ID: 0xdeadbeef,
		Orig:  Tuple{Src: a("192.0.2.1"), Dst: a("198.51.100.7"), Zone: 7, Kind: Ports, SrcPort: 40000, DstPort: 443},
		Reply: Tuple{Src: a("198.51.100.7"), Dst: a("192.0.2.1"), Kind: Ports, SrcPort: 443, DstPort: 40000},
	}
}

func icmpv6Target() Target {
	a := netip.MustParseAddr
	return Target{
		Family: FamilyIPv6, Protocol: 58, ID: 1,
		Orig:  Tuple{Src: a("2001:db8::1"), Dst: a("::ffff:192.0.2.1"), Kind: ICMP, SrcPort: 77, DstPort: 128 << 8},
		Reply: Tuple{Src: a("::ffff:192.0.2.1"), Dst: a("2001:db8::1"), Kind: ICMP, SrcPort: 77, DstPort: 129 << 8},
	}
}

func somebody() Actor {
	return Actor{RequestID: 0x0102030405060708, User: "zoë", Client: "192.0.2.9:51000"}
}

func requests() map[string]Request {
	return map[string]Request{
		"hello-control":  {Op: OpHello, Seq: 1, Purpose: PurposeControl},
		"hello-dump":     {Op: OpHello, Purpose: PurposeDump},
		"stats":          {Op: OpStats, Seq: 2},
		"dump":           {Op: OpDump, Seq: 3},
		"kill-tcp":       {Op: OpKill, Seq: 4, Target: tcpTarget(), Actor: somebody()},
		"kill-icmpv6":    {Op: OpKill, Seq: 5, Target: icmpv6Target()},
		"change-mark":    {Op: OpChange, Seq: 6, Target: tcpTarget(), Actor: somebody(), Change: Change{FieldMark, 0x10, 0xf0}},
		"change-timeout": {Op: OpChange, Seq: 7, Target: tcpTarget(), Actor: somebody(), Change: Change{FieldTimeout, MaxTimeout, 0}},
	}
}

func answers() map[string]Answer {
	before, after := uint32(0), uint32(16)
	stats := Stats{Known: statAll, Count: 3, Max: 262144, Buckets: 65536, Accounting: true, TCPLoose: true, CPUs: 2}
	for i := range stats.PerCPU {
		stats.PerCPU[i] = uint64(i) << 33
	}
	return map[string]Answer{
		"hello":     {Op: OpHello, Seq: 1, MaxInFlight: MaxInFlight},
		"stats":     {Op: OpStats, Seq: 2, Stats: stats},
		"dump-end":  {Op: OpDump, Seq: 3, End: DumpEnd{Interrupted: true, Bytes: 1 << 40, Spent: time.Second}},
		"dump-fail": {Op: OpDump, Seq: 3, End: DumpEnd{Errno: 105}},
		"killed":    {Op: OpKill, Seq: 4, Result: Result{Outcome: Killed}},
		"protected": {Op: OpKill, Seq: 5, Result: Result{Outcome: Protected, Rule: "protect:management"}},
		"limited":   {Op: OpKill, Seq: 5, Result: Result{Outcome: Limited, Retry: 1500 * time.Millisecond}},
		"changed":   {Op: OpChange, Seq: 6, Result: Result{Outcome: Changed, Old: &before, New: &after}},
		"failed":    {Op: OpChange, Seq: 7, Result: Result{Outcome: Failed, Errno: 16, Old: &after}},
	}
}

// TestGolden holds the bytes on the wire still: what changes them is another version.
func TestGolden(t *testing.T) {
	packets := make(map[string][]byte)
	for name, r := range requests() {
		b, err := r.Append(nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		packets["request-"+name] = b
		if got, err := DecodeRequest(b); err != nil || got != r {
			t.Errorf("%s reads back as %+v, %v", name, got, err)
		}
	}
	for name, a := range answers() {
		b, err := a.Append(nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		packets["answer-"+name] = b
	}
	for name, b := range packets {
		file := filepath.Join("testdata", name+".hex")
		if *update {
			if err := os.WriteFile(file, []byte(hexLines(b)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 || hexLines(b) != string(want) {
			t.Errorf("%s:\n%swant\n%s", name, hexLines(b), want)
		}
	}
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) != len(packets) {
		t.Errorf("%d golden files for %d packets (%v)", len(files), len(packets), err)
	}
}

func hexLines(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		n := min(8, len(b))
		s.WriteString(hex.EncodeToString(b[:n]) + "\n")
		b = b[n:]
	}
	return s.String()
}

func TestSizesFitTheSpecification(t *testing.T) {
	sizes := map[Op][2]int{OpHello: {8, 8}, OpStats: {0, 112}, OpDump: {0, 32}, OpKill: {224, 88}, OpChange: {240, 88}}
	for _, r := range requests() {
		b, _ := r.Append(nil)
		if len(b) != headerSize+sizes[r.Op][0] || len(b) > MaxRequest {
			t.Errorf("request %s has %d bytes", r.Op, len(b))
		}
	}
	for _, a := range answers() {
		b, _ := a.Append(nil)
		if len(b) != headerSize+sizes[a.Op][1] {
			t.Errorf("answer %s has %d bytes", a.Op, len(b))
		}
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	kill, _ := requests()["kill-tcp"].Append(nil)
	icmp, _ := requests()["kill-icmpv6"].Append(nil)
	mark, _ := requests()["change-mark"].Append(nil)
	timeout, _ := requests()["change-timeout"].Append(nil)
	hello, _ := requests()["hello-control"].Append(nil)
	answer, _ := answers()["killed"].Append(nil)
	const target, orig, reply = headerSize, headerSize + 8, headerSize + 48
	const user, change = target + targetSize + 8, headerSize + killRequestSize

	set := func(b []byte, at int, with ...byte) []byte {
		c := bytes.Clone(b)
		copy(c[at:], with)
		return c
	}
	tests := map[string][]byte{
		"empty":                        {},
		"cut header":                   kill[:headerSize-1],
		"header only":                  kill[:headerSize],
		"cut":                          kill[:len(kill)-1],
		"too long":                     append(bytes.Clone(kill), 0),
		"magic":                        set(kill, 0, 0),
		"version 0":                    set(kill, 2, 0),
		"version 2":                    set(kill, 2, 2),
		"operation 0":                  set(kill, 3, 0),
		"operation 6":                  set(kill, 3, 6),
		"another operation's size":     set(kill, 3, byte(OpChange)),
		"an answer":                    answer,
		"kind answer":                  set(kill, 4, 1),
		"kind data":                    set(kill, 4, 2),
		"reserved of header":           set(kill, 6, 1),
		"reserved end of header":       set(kill, 23, 1),
		"length too small":             set(kill, 19, 0),
		"length huge":                  set(kill, 16, 0xff),
		"hello without purpose":        set(hello, headerSize, 0),
		"hello with purpose 3":         set(hello, headerSize, 3),
		"hello reserved":               set(hello, headerSize+7, 1),
		"family 0":                     set(kill, target, 0),
		"family of another kind":       set(kill, target, 7),
		"target reserved":              set(kill, target+2, 1),
		"IPv4 with a long address":     set(kill, orig+8+4, 1),
		"IPv4 with a long destination": set(kill, reply+24+15, 1),
		"tuple flags 3":                set(kill, orig, 3),
		"tuple reserved":               set(kill, reply+1, 1),
		"TCP with ICMP flag":           set(kill, orig, byte(ICMP)),
		"ICMPv6 with ports flag":       set(icmp, orig, byte(Ports)),
		"ports without flag":           set(kill, orig, 0),
		"user with a line break":       set(kill, user, '\n'),
		"user with an escape":          set(kill, user, 0x1b),
		"user with bidi override":      set(kill, user, 0xe2, 0x80, 0xae),
		"user with invalid UTF-8":      set(kill, user, 0xff),
		"user with a hole":             set(kill, user+1, 0),
		"client with a tab":            set(kill, user+TextSize, '\t'),
		"field 0":                      set(mark, change, 0),
		"field 3":                      set(mark, change, 3),
		"change reserved":              set(mark, change+1, 1),
		"change reserved end":          set(mark, change+15, 1),
		"mark outside its mask":        set(mark, change+7, 0x01),
		"timeout 0":                    set(timeout, change+4, 0, 0, 0, 0),
		"timeout too long":             set(timeout, change+4, 0x7f, 0xff, 0xff, 0xff),
		"timeout with a mask":          set(timeout, change+11, 1),
	}
	for name, packet := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := DecodeRequest(packet)
			var p *ProtocolError
			if !errors.As(err, &p) {
				t.Errorf("accepted as %+v, error %v", r, err)
			}
			if r != (Request{}) {
				t.Errorf("refused, yet gives %+v", r)
			}
		})
	}
}

func TestDecodeAnswerRefuses(t *testing.T) {
	killed, _ := answers()["killed"].Append(nil)
	stats, _ := answers()["stats"].Append(nil)
	end, _ := answers()["dump-end"].Append(nil)
	hello, _ := answers()["hello"].Append(nil)
	request, _ := requests()["kill-tcp"].Append(nil)
	data := appendHeader(nil, header{op: OpDump, kind: kindData}, MaxDumpData+1)
	set := func(b []byte, at int, v byte) []byte {
		c := bytes.Clone(b)
		c[at] = v
		return c
	}
	tests := map[string][]byte{
		"empty":              {},
		"a request":          request,
		"cut":                killed[:len(killed)-1],
		"outcome 0":          set(killed, headerSize, 0),
		"outcome 12":         set(killed, headerSize, 12),
		"flags":              set(killed, headerSize+1, 4),
		"old without flag":   set(killed, headerSize+4, 1),
		"new without flag":   set(killed, headerSize+8, 1),
		"result reserved":    set(killed, len(killed)-1, 1),
		"rule with control":  set(killed, headerSize+16, 7),
		"stats flag unknown": set(stats, headerSize, 0xff),
		"stats boolean 2":    set(stats, headerSize+16, 2),
		"stats reserved":     set(stats, len(stats)-1, 2),
		"end flag":           set(end, headerSize+7, 2),
		"end time negative":  set(end, headerSize+16, 0x80),
		"hello reserved":     set(hello, len(hello)-1, 1),
		"data of no length":  appendHeader(nil, header{op: OpDump, kind: kindData}, 0),
		"data too long":      append(data, make([]byte, MaxDumpData+1)...),
		"data of a kill":     append(appendHeader(nil, header{op: OpKill, kind: kindData}, 1), 0),
	}
	for name, packet := range tests {
		t.Run(name, func(t *testing.T) {
			a, _, err := DecodeAnswer(packet)
			var p *ProtocolError
			if !errors.As(err, &p) {
				t.Errorf("accepted as %+v, error %v", a, err)
			}
		})
	}
}

func TestAppendRefusesWhatDecodeWould(t *testing.T) {
	bad := map[string]func(*Request){
		"no target":      func(r *Request) { r.Target = Target{} },
		"mixed families": func(r *Request) { r.Target.Reply.Src = netip.MustParseAddr("::1") },
		"address zone": func(r *Request) {
			*r = Request{Op: OpKill, Target: icmpv6Target()}
			r.Target.Orig.Src = netip.MustParseAddr("fe80::1%1")
		},
		"ports with none":   func(r *Request) { r.Target.Orig.Kind = NoPorts },
		"kinds differ":      func(r *Request) { r.Target.Protocol = 1; r.Target.Reply.Kind = ICMP },
		"long user":         func(r *Request) { r.Actor.User = strings.Repeat("a", TextSize+1) },
		"user with newline": func(r *Request) { r.Actor.User = "a\nb" },
		"no such operation": func(r *Request) { r.Op = 9 },
		"no field":          func(r *Request) { r.Op, r.Change = OpChange, Change{} },
		"timeout 0":         func(r *Request) { r.Op, r.Change = OpChange, Change{Field: FieldTimeout} },
		"mark beyond mask":  func(r *Request) { r.Op, r.Change = OpChange, Change{FieldMark, 2, 1} },
		"no purpose":        func(r *Request) { r.Op = OpHello },
	}
	for name, spoil := range bad {
		t.Run(name, func(t *testing.T) {
			r := requests()["kill-tcp"]
			spoil(&r)
			if b, err := r.Append(nil); err == nil {
				t.Errorf("encoded as %x", b)
			}
		})
	}
}

func TestCleanText(t *testing.T) {
	tests := map[string]string{
		"plain":                         "plain",
		"zoë":                           "zoë",
		"a\nb\x00c":                     "a?b?c",
		"bidi\u202eover":                "bidi?over",
		"\xff":                          "?",
		strings.Repeat("é", 40):         strings.Repeat("é", 32),
		strings.Repeat("a", 63) + "é":   strings.Repeat("a", 63),
		"zero\u200bwidth and\u00a0nbsp": "zero?width and?nbsp",
	}
	for in, want := range tests {
		if got := CleanText(in); got != want || !ValidText(got) {
			t.Errorf("CleanText(%q) = %q, want %q", in, got, want)
		}
	}
}
