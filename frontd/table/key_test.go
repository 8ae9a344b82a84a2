// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"nuconntrack/ipc"
)

// sampleTargets are targets of every shape.
func sampleTargets() map[string]ipc.Target {
	nat := target(6, "192.0.2.1", "198.51.100.7", 4242)
	nat.Reply.Dst, nat.Reply.DstPort = netip.MustParseAddr("203.0.113.5"), 61001
	both := target(17, "10.0.0.1", "10.0.0.2", 53)
	both.Orig.Zone, both.Reply.Zone = 7, 7
	orig := both
	orig.Reply.Zone = 0
	repl := both
	repl.Orig.Zone, repl.Reply.Zone = 0, 65535
	halfICMP := target(protoICMP, "10.0.0.1", "10.0.0.2", 9)
	halfICMP.Reply.Kind, halfICMP.Reply.SrcPort = ipc.NoPorts, 0
	odd4 := target(protoICMPv6, "10.0.0.1", "10.0.0.2", 9)
	ports0 := target(6, "0.0.0.0", "255.255.255.255", 0)
	ports0.ID, ports0.Orig.DstPort, ports0.Reply.SrcPort = 0, 0, 0
	return map[string]ipc.Target{
		"tcp": target(6, "192.0.2.1", "192.0.2.2", 1025), "udp6": target(17, "2001:db8::1", "2001:db8::2", 53),
		"icmp": target(protoICMP, "192.0.2.1", "192.0.2.2", 77), "icmp6": target(protoICMPv6, "::1", "fe80::1", 65535),
		"mapped": target(6, "::ffff:192.0.2.1", "::ffff:192.0.2.2", 22), "gre": target(47, "192.0.2.1", "192.0.2.2", 5),
		"no ports": target(99, "192.0.2.1", "192.0.2.2", 5), "no ports, IPv6": target(99, "2001:db8::1", "2001:db8::2", 5),
		"nat": nat, "zone of both": both, "zone of orig": orig, "zone of reply": repl,
		"one direction of ICMP": halfICMP, "ICMPv6 over IPv4": odd4, "all zero": ports0,
	}
}

func TestKeyRoundTrip(t *testing.T) {
	seen := make(map[string]string)
	for name, want := range sampleTargets() {
		key := EncodeKey(want)
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[key] = name
		got, err := DecodeKey(key)
		if err != nil || got != want {
			t.Errorf("%s: key %q gives %+v, %v; want %+v", name, key, got, err, want)
		}
		if len(key) > maxKey || strings.Trim(key, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%s: key %q is too long or not safe in URLs", name, key)
		}
	}
}

// Keys that were handed out must be understood by later releases.
func TestKeyGolden(t *testing.T) {
	const golden = "kU0sxi-c5k--1-R---VA---71k--1-FF0-Qg0ikF0"
	got := EncodeKey(target(6, "192.0.2.1", "192.0.2.2", 1025))
	if got != golden {
		t.Errorf("key = %q, want %q", got, golden)
	}
}

func TestKeyOrdersByID(t *testing.T) {
	ids := []uint32{0, 1, 63, 64, 255, 256, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	targets := sampleTargets()
	for i := 1; i < len(ids); i++ {
		for a, low := range targets {
			for b, high := range targets {
				low.ID, high.ID = ids[i-1], ids[i]
				if EncodeKey(low) >= EncodeKey(high) {
					t.Errorf("key of %s with id %d is not before %s with id %d", a, low.ID, b, high.ID)
				}
			}
		}
	}
}

func TestDecodeKeyRefuses(t *testing.T) {
	good := EncodeKey(target(6, "192.0.2.1", "192.0.2.2", 1025))
	n := identOf(target(6, "192.0.2.1", "192.0.2.2", 1025))
	packed := n.pack(nil)
	edit := func(at int, v byte) string {
		b := append([]byte(nil), packed...)
		b[at] = v
		return string(keyPrefix) + keyEncoding.EncodeToString(b)
	}
	zones := append([]byte(nil), packed...)
	zones[4] |= formZones
	tests := map[string]string{
		"empty": "", "prefix alone": "k", "an id": "1025", "another prefix": "K" + good[1:], "no prefix": good[1:],
		"cut": good[:len(good)-1], "cut much": good[:12], "longer": good + "-", "much longer": good + strings.Repeat("-", 1<<16),
		"line end": good[:9] + "\n" + good[9:], "carriage return": good + "\r", "padding": good + "=", "plus": "k+" + good[2:],
		"not ASCII": "k\xff" + good[2:], "zero byte": good + "\x00",
		"unknown form bit": edit(4, packed[4]|1<<6), "highest form bit": edit(4, packed[4]|1<<7), "kind 3": edit(4, 3<<1|1<<3),
		"form of other family": edit(4, packed[4]|formIPv6), "ports with ICMP": edit(5, protoICMP), "ICMP with TCP": edit(4, 2<<1|2<<3),
		"form says zones": edit(4, packed[4]|formZones),
		"zones of zero":   string(keyPrefix) + keyEncoding.EncodeToString(append(zones, 0, 0, 0, 0)),
		"spare bits":      "k" + good[1:len(good)-1] + "1" + "0",
	}
	for name, key := range tests {
		if got, err := DecodeKey(key); err == nil {
			t.Errorf("%s: %q gives %+v", name, key, got)
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, t := range sampleTargets() {
		f.Add(EncodeKey(t))
	}
	f.Add("k")
	f.Add("k\n")
	f.Fuzz(func(t *testing.T, key string) {
		got, err := DecodeKey(key)
		if err != nil {
			return
		}
		if again := EncodeKey(got); again != key {
			t.Errorf("%q is read, and written as %q", key, again)
		}
		if err := got.Check(); err != nil {
			t.Errorf("%q names what the helper refuses: %v", key, err)
		}
	})
}

// The index finds every row and nothing else, whatever order and however full.
func TestIndexAgainstMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 5, 6, 7, 500, 5000} {
		want := make(map[ipc.Target]int32)
		var data msg
		var row int32
		for range n {
			// Few addresses, ports and ids: many targets differ in one thing only.
			u := target([]uint8{6, 17, protoICMP, 99}[rnd.IntN(4)], "192.0.2.1", "192.0.2.2", rnd.IntN(40))
			u.ID = uint32(rnd.IntN(3))
			if rnd.IntN(2) == 0 {
				u.Orig.Zone = uint16(rnd.IntN(3))
				u.Reply.Zone = u.Orig.Zone
			}
			data = append(data, conn(u)...)
			if _, ok := want[u]; !ok {
				want[u] = row
				row++
			}
		}
		s := build(t, data)
		if s.Len() != len(want) || s.Repeated() != n-len(want) {
			t.Fatalf("%d of %d rows, %d repeated; want %d", s.Len(), n, s.Repeated(), len(want))
		}
		for u, row := range want {
			if got, ok := s.FindTarget(u); !ok || got != row || s.Target(row) != u || s.Key(row) != EncodeKey(u) {
				t.Errorf("%+v is in row %d, %t; want %d", u, got, ok, row)
			}
			u.ID += 3
			if got, ok := s.FindTarget(u); ok {
				t.Errorf("%+v found in row %d", u, got)
			}
		}
	}
}

func TestFindTargetInEmptySnapshot(t *testing.T) {
	if _, ok := new(Snapshot).FindTarget(target(6, "192.0.2.1", "192.0.2.2", 1)); ok {
		t.Error("found in the zero snapshot")
	}
}

func TestFindIDs(t *testing.T) {
	a, b, c := target(6, "192.0.2.1", "192.0.2.2", 1), target(6, "192.0.2.1", "192.0.2.2", 2), target(6, "192.0.2.1", "192.0.2.2", 3)
	a.ID, b.ID, c.ID = 5, 5, 6
	s := build(t, conn(a), conn(b), conn(c), packet(ipc.FamilyIPv4, tuples(target(17, "192.0.2.1", "192.0.2.2", 4))))
	many := map[uint32]int{5: 2, 6: 1, 7: 0, 0: 0, 5 + 1<<16: 0, 5 + 64: 0}
	got := s.FindIDs(slices.Collect(maps.Keys(many)))
	for id, want := range many {
		if one := s.FindIDs([]uint32{id, id}); len(one) != 1 || len(one[id]) != want || !slices.Equal(one[id], got[id]) {
			t.Errorf("id %d: rows %v, among others %v, want %d of them", id, one, got[id], want)
		}
	}
	if len(got) != len(many) || len(s.FindIDs(nil)) != 0 {
		t.Errorf("found %v", got)
	}
}
