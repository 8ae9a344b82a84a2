// SPDX-License-Identifier: GPL-2.0-or-later

package names

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/cmd/nuctl/connection"
)

// TestHostNames are names as an attacker may write them into his part of the tree.
func TestHostNames(t *testing.T) {
	for _, test := range []struct{ name, answer, want string }{
		{"plain", "www.example.org.", "www.example.org"},
		{"underscore", "_dmarc.example.org.", "_dmarc.example.org"},
		{"an IPv4 address", "198.51.100.7.", ""},
		{"a part of one", "server.10.", ""},
		{"an IPv6 address", "2001:db8::1", ""},
		{"hexadecimal address", "0x7f000001.", ""},
		{"escape sequence", "a\x1b[2Jb.example.org.", ""},
		{"direction mark", "a\u202eb.example.org.", ""},
		{"port in the name", "example.org:22", ""},
		{"blank", "a b.example.org.", ""},
		{"root", ".", ""},
		{"empty", "", ""},
		{"too long", strings.Repeat("a.", 127) + "org", ""},
		{"arrow", "a->b.example.org.", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := hostName(test.answer); got != test.want {
				t.Errorf("%q became %q, want %q", test.answer, got, test.want)
			}
		})
	}
}

func rowOf(addresses ...string) connection.Row {
	row := connection.Row{}
	for i, field := range []string{"orig_src", "orig_dst", "repl_src", "repl_dst"} {
		if i < len(addresses) {
			row[field] = addresses[i]
		}
	}
	return row
}

// TestNames is in a bubble, where the budget ends no sooner than all look-ups have.
func TestNames(t *testing.T) { synctest.Test(t, learnNames) }

func learnNames(t *testing.T) {
	asked := make(chan string, 100)
	r := New(Config{
		Lookup: func(_ context.Context, addr string) ([]string, error) {
			asked <- addr
			if addr == "192.0.2.2" {
				return nil, errors.New("no such host")
			}
			return []string{"host-" + strings.ReplaceAll(addr, ".", "-") + ".example.", "other.example."}, nil
		},
		Services: "# comment\nhttps 443/tcp\nwww 443/tcp # alias\ndomain\t53/udp dns\nbad x/tcp\nevil\x1b[2J 1/tcp\nbroken\n",
	})
	defer r.Close()
	r.Learn([]connection.Row{rowOf("192.0.2.1", "192.0.2.2", "192.0.2.1", "not an address"), {"orig_src": int64(7)}, {}})
	r.Learn([]connection.Row{rowOf("192.0.2.2", "192.0.2.1")})
	if len(asked) != 2 {
		t.Errorf("%d look-ups, want one for each of two addresses", len(asked))
	}
	for addr, want := range map[string]string{"192.0.2.1": "host-192-0-2-1.example", "192.0.2.2": "192.0.2.2", "192.0.2.3": "192.0.2.3"} {
		if got := r.Host(addr); got != want {
			t.Errorf("%s is %q, want %q", addr, got, want)
		}
	}
	for _, test := range []struct {
		protocol string
		port     uint64
		want     string
	}{{"tcp", 443, "https"}, {"udp", 443, "443"}, {"udp", 53, "domain"}, {"tcp", 1, "1"}, {"", 0, "0"}} {
		if got := r.Service(test.protocol, test.port); got != test.want {
			t.Errorf("%s/%d is %q, want %q", test.protocol, test.port, got, test.want)
		}
	}
}

// TestBudget: a resolver that does not answer keeps a listing waiting once, for no longer
// than the budget, and what it says at last is used.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Lookup: func(ctx context.Context, _ string) ([]string, error) {
			select {
			case <-time.After(3 * Budget / 4):
				return []string{"late.example."}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
		defer r.Close()
		var rows []connection.Row
		for i := range 200 {
			rows = append(rows, rowOf(fmt.Sprintf("10.0.0.%d", i)))
		}
		began := time.Now()
		r.Learn(rows)
		r.Learn(rows)
		if waited := time.Since(began); waited > Budget {
			t.Errorf("waited %v", waited)
		}
		if got := r.Host("10.0.0.0"); got != "late.example" {
			t.Errorf("the first is %q", got)
		}
		if got := r.Host("10.0.0.199"); got != "10.0.0.199" {
			t.Errorf("the last is %q already", got)
		}
		time.Sleep(time.Minute) // of the bubble's time
		if got := r.Host("10.0.0.199"); got != "late.example" {
			t.Errorf("a minute later the last is %q", got)
		}
	})
}

// TestManyAddresses: the memory for names has an end.
func TestManyAddresses(t *testing.T) {
	r := New(Config{Lookup: func(context.Context, string) ([]string, error) { return []string{"a.example."}, nil }})
	defer r.Close()
	for i := range maxHosts + 100 {
		r.Learn([]connection.Row{rowOf(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))})
	}
	r.Close() // none is being found any more
	if len(r.hosts) > maxHosts {
		t.Errorf("%d addresses are remembered", len(r.hosts))
	}
}
