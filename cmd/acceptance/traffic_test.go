// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestTrafficIsListedAndKilled makes real connections, of each kind that the kernel has
// sockets for, and kills them one after the other.
func TestTrafficIsListedAndKilled(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Sysctl(t, "nf_conntrack_acct", "1")
		nstest.Sysctl(t, "nf_conntrack_timestamp", "1")
		// When a connection that was killed is closed, its last packets must not bring it back.
		nstest.Sysctl(t, "nf_conntrack_tcp_loose", "0")
		track(t)
		const listens, asked = 5001, 5002
		nstest.Redirect(t, unix.IPPROTO_TCP, asked, listens)
		w := newWorld(t, everything)
		s := w.login(t)

		serveTCP(t, "127.0.0.1:5001")
		serveTCP(t, "[::1]:5001")
		serveUDP(t, "127.0.0.1:5003")
		counted := row{"seen_reply": true, "snat": false, "dnat": false, "fixed_timeout": false, "offload": false, "zone": nil}
		v4 := row{"orig_l3proto": 2, "orig_ipv4_src": "127.0.0.1", "repl_ipv4_src": "127.0.0.1", "orig_ipv6_src": nil}
		v6 := row{"orig_l3proto": 10, "orig_ipv6_src": "::1", "repl_ipv6_dst": "::1", "orig_ipv4_src": nil}
		for _, test := range []struct {
			name   string
			begin  func(*testing.T)
			filter filters
			want   []row
		}{
			{"TCP", func(t *testing.T) { askTCP(t, "127.0.0.1:5001") },
				filters{"proto": "tcp", "address": "127.0.0.1", "orig_port_dst": listens},
				[]row{counted, v4, {"orig_l4proto": 6, "orig_port_dst": 5001, "repl_port_src": 5001,
					"state": "ESTABLISHED", "tcp_state": 3, "assured": true, "icmp_id": nil}}},
			{"TCP over IPv6", func(t *testing.T) { askTCP(t, "[::1]:5001") },
				filters{"proto": "tcp", "address": "::1"},
				[]row{counted, v6, {"orig_l4proto": 6, "orig_port_dst": 5001, "state": "ESTABLISHED"}}},
			{"TCP through NAT", func(t *testing.T) { askTCP(t, "127.0.0.1:5002") },
				filters{"dnat": true},
				[]row{v4, {"orig_port_dst": asked, "repl_port_src": listens, "dnat": true, "snat": false,
					"seen_reply": true, "state": "ESTABLISHED"}}},
			{"UDP", func(t *testing.T) { ask(t, "udp", "127.0.0.1:5003", []byte("question")) },
				filters{"proto": "udp"},
				[]row{counted, v4, {"orig_l4proto": 17, "orig_port_dst": 5003, "repl_port_src": 5003,
					"state": nil, "tcp_state": nil}}},
			{"ICMP", func(t *testing.T) { ask(t, "ip4:icmp", "127.0.0.1", echo(8, 4711)) },
				filters{"proto": "icmp"},
				[]row{counted, v4, {"orig_l4proto": 1, "icmp_type": 8, "icmp_code": 0, "icmp_id": 4711,
					"orig_port_src": nil, "orig_port_dst": nil}}},
			{"ICMPv6", func(t *testing.T) { ask(t, "ip6:ipv6-icmp", "::1", echo(128, 4712)) },
				filters{"proto": "icmpv6", "icmp_type": 128},
				[]row{counted, v6, {"orig_l4proto": 58, "icmp_type": 128, "icmp_code": 0, "icmp_id": 4712,
					"repl_port_src": nil}}},
		} {
			t.Run(test.name, func(t *testing.T) {
				test.begin(t)
				r := s.one(t, test.filter)
				for _, want := range test.want {
					r.has(t, want)
				}
				for _, field := range [...]string{"orig_counter_packets", "orig_counter_bytes", "repl_counter_bytes"} {
					if r.number(t, field) == 0 {
						t.Errorf("%s is 0", field)
					}
				}
				if start, err := time.Parse(time.RFC3339, r["start"].(string)); err != nil || time.Since(start) > time.Hour {
					t.Errorf("start %v: %v", r["start"], err)
				}
				before := kernelTable(t)
				s.ok(t, "kill", list(r.key(t)))
				wantTable(t, before, r.number(t, "id"))
			})
		}
	})
}

// track is nstest.Track where no connection of these tests ends by itself, however slow the machine.
func track(t testing.TB) {
	t.Helper()
	for _, name := range [...]string{"udp_timeout", "udp_timeout_stream", "icmp_timeout", "icmpv6_timeout"} {
		nstest.Sysctl(t, "nf_conntrack_"+name, "3600")
	}
	nstest.Track(t)
}

// serveTCP answers every byte with itself, and says nothing of its own accord.
func serveTCP(t testing.TB, address string) {
	t.Helper()
	l, err := (&net.ListenConfig{KeepAlive: -1}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
}

// serveUDP answers every packet with itself.
func serveUDP(t testing.TB, address string) {
	t.Helper()
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			c.WriteTo(b[:n], from)
		}
	}()
}

// askTCP connects and gets an answer; the connection stays open, and silent, to the test's end.
func askTCP(t testing.TB, address string) { ask(t, "tcp", address, []byte("question")) }

func ask(t testing.TB, network, address string, question []byte) {
	t.Helper()
	c, err := (&net.Dialer{KeepAlive: -1}).Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(daemontest.Patience))
	// A question twice makes UDP a stream that was answered, and TCP an assured connection.
	for range 2 {
		if _, err := c.Write(question); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		acknowledge(t, tcp)
	}
}

// acknowledge sends what tcp(7) calls a delayed ACK at once, so that the connection is silent
// from here on.
func acknowledge(t testing.TB, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var setErr error
	err = raw.Control(func(fd uintptr) { setErr = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
	if err != nil || setErr != nil {
		t.Fatal(err, setErr)
	}
}

// echo is an ICMP echo request (RFC 792, RFC 4443). The kernel computes ICMPv6's checksum.
func echo(kind byte, id uint16) []byte {
	b := []byte{kind, 0, 0, 0, 0, 0, 0, 1}
	binary.BigEndian.PutUint16(b[4:], id)
	if kind == 8 {
		sum := uint32(kind)<<8 + uint32(id) + 1
		binary.BigEndian.PutUint16(b[2:], ^uint16(sum+sum>>16))
	}
	return b
}
