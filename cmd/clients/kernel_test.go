// SPDX-License-Identifier: GPL-2.0-or-later

//go:build clients

package clients

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// assured is IPS_ASSURED.
const assured = 1 << 2

// entry is a connection as conntrack(8) lists it.
type entry struct {
	id, mark, timeout uint32
	src, dst          string
	sport, dport      uint16
	state             string
	assured           int
}

// list lists the connections that the test made, with conntrack(8). A line of it is
//
//	ipv4 2 tcp 6 3599 ESTABLISHED src=.. dst=.. sport=.. dport=.. src=.. [ASSURED] mark=5 use=1 id=7
func list(t *testing.T) (all []entry) {
	t.Helper()
	out, err := exec.Command("conntrack", "-L", "-o", "id,extended", "-p", "tcp", "--orig-dst", "198.51.100.7").Output()
	if err != nil {
		t.Fatalf("conntrack -L: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) < 12 || words[2] != "tcp" {
			t.Fatalf("conntrack -L: %q", line)
		}
		e := entry{timeout: number[uint32](t, words[4]), state: words[5]}
		seen := make(map[string]bool)
		for _, word := range words[6:] {
			name, value, _ := strings.Cut(word, "=")
			if seen[name] {
				continue // of the reply direction
			}
			seen[name] = true
			switch name {
			case "src":
				e.src = value
			case "dst":
				e.dst = value
			case "sport":
				e.sport = number[uint16](t, value)
			case "dport":
				e.dport = number[uint16](t, value)
			case "mark":
				e.mark = number[uint32](t, value)
			case "id":
				e.id = number[uint32](t, value)
			case "[ASSURED]":
				e.assured = 1
			}
		}
		all = append(all, e)
	}
	return all
}

func number[T uint16 | uint32](t *testing.T, s string) T {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || uint64(T(n)) != n {
		t.Fatalf("conntrack -L: %q is no number (%v)", s, err)
	}
	return T(n)
}
