// SPDX-License-Identifier: GPL-2.0-or-later

package ident

import (
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
)

func TestKeyRoundTrip(t *testing.T) {
	seen := make(map[string]string)
	for name, want := range helpertest.Targets() {
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
	got := EncodeKey(helpertest.Target(6, "192.0.2.1", "192.0.2.2", 1025))
	if got != golden {
		t.Errorf("key = %q, want %q", got, golden)
	}
}

func TestKeyOrdersByID(t *testing.T) {
	ids := []uint32{0, 1, 63, 64, 255, 256, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	targets := helpertest.Targets()
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
	good := EncodeKey(helpertest.Target(6, "192.0.2.1", "192.0.2.2", 1025))
	n := Of(helpertest.Target(6, "192.0.2.1", "192.0.2.2", 1025))
	packed := n.Pack(nil)
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
		"form of other family": edit(4, packed[4]|formIPv6), "ports with ICMP": edit(5, 1), "ICMP with TCP": edit(4, 2<<1|2<<3),
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
	for _, t := range helpertest.Targets() {
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
