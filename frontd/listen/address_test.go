// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"net"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	tests := map[string]struct {
		text, want string // want "": refused
		local      bool
	}{
		"IPv4":            {"192.0.2.1:80", "192.0.2.1:80", false},
		"IPv4 loopback":   {"127.1.2.3:0", "127.1.2.3:0", true},
		"IPv6":            {"[2001:db8::1]:80", "[2001:db8::1]:80", false},
		"IPv6 loopback":   {"[::1]:80", "[::1]:80", true},
		"IPv4-in-6":       {"[::ffff:127.0.0.1]:80", "127.0.0.1:80", true},
		"wildcard":        {"0.0.0.0:80", "0.0.0.0:80", false},
		"IPv6 wildcard":   {"[::]:80", "[::]:80", false},
		"plain":           {"plain:[::1]:80", "plain:[::1]:80", true},
		"plain twice":     {"plain:plain:127.0.0.1:80", "", false},
		"plain Unix":      {"plain:unix:/a", "", false},
		"TLS":             {"tls:127.0.0.1:80", "", false},
		"Unix":            {"unix:/run/a b", "unix:/run/a b", true},
		"Unix, longest":   {"unix:/" + strings.Repeat("x", 106), "unix:/" + strings.Repeat("x", 106), true},
		"Unix too long":   {"unix:/" + strings.Repeat("x", 107), "", false},
		"Unix, abstract":  {"unix:@a", "", false},
		"Unix, relative":  {"unix:a", "", false},
		"Unix, two /":     {"unix://a", "", false},
		"Unix, empty":     {"unix:", "", false},
		"Unix, NUL":       {"unix:/a\x00b", "", false},
		"other prefix":    {"UNIX:/a", "", false},
		"nothing":         {"", "", false},
		"name":            {"localhost:80", "", false},
		"no port":         {"127.0.0.1", "", false},
		"no address":      {":80", "", false},
		"port with sign":  {"127.0.0.1:+80", "", false},
		"port with space": {"127.0.0.1: 80", "", false},
		"port too high":   {"127.0.0.1:65536", "", false},
		"leading zero":    {"127.0.0.01:80", "", false},
		"no brackets":     {"::1:80", "", false},
		"brackets, IPv4":  {"[127.0.0.1]:80", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, err := ParseAddress(test.text)
			if test.want == "" {
				if err == nil {
					t.Errorf("accepted as %v", a)
				}
				return
			}
			if err != nil || a.String() != test.want || Local(a.Net()) != test.local {
				t.Errorf("got %v, local %v, error %v", a, Local(a.Net()), err)
			}
			if again, err := ParseAddress(a.String()); err != nil || again != a {
				t.Errorf("read back as %v, error %v", again, err)
			}
		})
	}
}

func TestLocalOfUnknownKinds(t *testing.T) {
	for _, a := range []net.Addr{nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.IPAddr{IP: net.IPv6loopback}, &net.TCPAddr{}} {
		if Local(a) {
			t.Errorf("%v (%T) counts as local", a, a)
		}
	}
}
