// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestSlowOnesOfOneAddressDoNotLockItOut(t *testing.T) {
	defer awaitEnd(t, goleak.IgnoreCurrent())
	s := serve(t, GateConfig{Total: 50, PerAddress: 10})
	defer s.shutdown()
	for range 200 {
		c := s.connect(t, "127.0.0.2")
		_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHo")
		must(t, err)
	}
	for _, from := range []string{"127.0.0.2", "127.0.0.3"} {
		body, err := get(t, s.connect(t, from), "/")
		if err != nil || body != "you are "+from {
			t.Errorf("%s: %q, %v", from, body, err)
		}
	}
	if c := s.gate.Counts(); c.Open > 11 || c.Refused != 0 || c.Evicted < 190 {
		t.Errorf("counts %+v", c)
	}
}

func TestSlowOnesOfManyAddressesLockNobodyOut(t *testing.T) {
	s := serve(t, GateConfig{Total: 20, PerAddress: 10})
	for i := range 200 {
		c := s.connect(t, fmt.Sprintf("127.0.1.%d", i+1))
		_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nslow")
		must(t, err)
	}
	if body, err := get(t, s.connect(t, "127.0.0.3"), "/"); err != nil || body != "you are 127.0.0.3" {
		t.Errorf("%q, %v", body, err)
	}
	if c := s.gate.Counts(); c.Open > 20 || c.Refused != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestIdleOnesGoFirst(t *testing.T) {
	s := serve(t, GateConfig{Total: 3, PerAddress: 3})
	slow := s.connect(t, "127.0.0.2") // the oldest, but it may be about to ask something
	s.awaitOpen(t, 1)
	var idle [2]net.Conn
	for i := range idle {
		idle[i] = s.connect(t, "127.0.0.2")
		_, err := get(t, idle[i], "/")
		must(t, err)
		s.awaitPhase(t, phaseIdle, i+1)
	}
	for i := range idle {
		must(t, ask(s.connect(t, "127.0.0.9"), "/wait"))
		<-s.waiting
		isClosed(t, idle[i])
	}
	close(s.release)
	if body, err := get(t, slow, "/"); err != nil || body != "you are 127.0.0.2" {
		t.Errorf("the one that took its time: %q, %v", body, err)
	}
}

func ask(c net.Conn, path string) error {
	_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	return err
}

func TestWorkIsNeverCutShort(t *testing.T) {
	for name, from := range map[string]string{"address full": "127.0.0.2", "all full": "127.0.0.3"} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			began := time.Now()
			s := serve(t, GateConfig{Total: 3, PerAddress: 3, Log: slog.New(slog.NewTextHandler(&log, nil))})
			var working []net.Conn
			for range 3 {
				c := s.connect(t, "127.0.0.2")
				must(t, ask(c, "/wait"))
				working = append(working, c)
				<-s.waiting
			}
			for range 5 {
				isClosed(t, s.connect(t, from))
			}
			if c := s.gate.Counts(); c.Open != 3 || c.Refused != 5 || c.Evicted != 0 {
				t.Errorf("counts %+v", c)
			}
			close(s.release)
			for _, c := range working {
				if body, err := answer(c); err != nil || body != "you are 127.0.0.2" {
					t.Errorf("answer %q, %v", body, err)
				}
			}
			s.awaitPhase(t, phaseIdle, 3)
			if _, err := get(t, s.connect(t, from), "/"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			s.shutdown()
			most := 1 + int(time.Since(began)/logEvery)
			if n := strings.Count(log.String(), "too many connections"); n < 1 || n > most {
				t.Errorf("%d lines for one storm, at most %d are worth it:\n%s", n, most, log.String())
			}
		})
	}
}

// TestBodyIsNotWork: a request that is not here in full protects nobody.
func TestBodyIsNotWork(t *testing.T) {
	s := serve(t, GateConfig{Total: 10, PerAddress: 1})
	slow := s.connect(t, "127.0.0.2")
	_, err := io.WriteString(slow, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234")
	must(t, err)
	<-s.sawSlow
	if _, err := get(t, s.connect(t, "127.0.0.2"), "/"); err != nil {
		t.Errorf("newcomer: %v", err)
	}
	isClosed(t, slow)
}

func TestSecondRequestCounts(t *testing.T) {
	s := serve(t, GateConfig{Total: 10, PerAddress: 1})
	c := s.connect(t, "127.0.0.2")
	_, err := get(t, c, "/")
	must(t, err)
	must(t, ask(c, "/wait"))
	<-s.waiting
	isClosed(t, s.connect(t, "127.0.0.2"))
	close(s.release)
	if body, err := answer(c); err != nil || body == "" {
		t.Errorf("second answer %q, %v", body, err)
	}
}

func TestPlacesAreFreed(t *testing.T) {
	s := serve(t, GateConfig{Total: 2, PerAddress: 2})
	for range 50 {
		c := s.connect(t, "127.0.0.2")
		_, err := get(t, c, "/")
		must(t, err)
		c.Close()
		s.awaitOpen(t, 0) // a place is free once the server has seen its client leave
	}
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	if len(s.gate.sources) != 0 || s.gate.all.oldest() != nil {
		t.Errorf("%d sources remembered", len(s.gate.sources))
	}
}

func TestListenersShareAGate(t *testing.T) {
	g := NewGate(GateConfig{Total: 1})
	var bound [2]net.Listener
	for i := range bound {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		bound[i] = g.Bind(l)
		defer l.Close()
	}
	var first net.Conn
	for i, l := range bound {
		c, err := net.Dial("tcp4", l.Addr().String())
		must(t, err)
		defer c.Close()
		accepted, err := l.Accept()
		must(t, err)
		defer accepted.Close()
		if i == 0 {
			first = c
		}
	}
	must(t, first.SetDeadline(time.Now().Add(patience)))
	isClosed(t, first)
	if c := g.Counts(); c.Open != 1 || c.Evicted != 1 {
		t.Errorf("counts %+v", c)
	}
}

// failing is a listener whose Accept fails.
type failing struct {
	net.Listener
	err error
}

func (f failing) Accept() (net.Conn, error) {
	return nil, &net.OpError{Op: "accept", Err: f.err}
}

func TestAcceptErrors(t *testing.T) {
	for _, test := range []struct {
		err     error
		evicted uint64
	}{{syscall.EMFILE, 1}, {syscall.ENFILE, 1}, {syscall.ECONNABORTED, 0}, {net.ErrClosed, 0}} {
		g := NewGate(GateConfig{})
		ours, theirs := net.Pipe()
		defer theirs.Close()
		if g.admit(ours) == nil {
			t.Fatal("refused")
		}
		// One error, one return: the pause between two attempts is the server's.
		if _, err := g.Bind(failing{err: test.err}).Accept(); !errors.Is(err, test.err) {
			t.Errorf("%v: Accept: %v", test.err, err)
		}
		if c := g.Counts(); c.Evicted != test.evicted || c.Open != 1-int(test.evicted) {
			t.Errorf("%v: counts %+v", test.err, c)
		}
	}
}

func TestPrefixes(t *testing.T) {
	tests := map[string]struct {
		a, b string
		same bool
	}{
		"same":               {"192.0.2.1", "192.0.2.1", true},
		"IPv4 neighbours":    {"192.0.2.1", "192.0.2.2", false},
		"IPv6 in one /64":    {"2001:db8::1", "2001:db8::ffff:0:0:1", true},
		"IPv6 in two /64":    {"2001:db8::1", "2001:db8:0:1::1", false},
		"link-local, zones":  {"fe80::1%a", "fe80::2%b", true},
		"IPv4 and unknown":   {"0.0.0.0", "", false},
		"IPv6 loopback, any": {"::1", "::2", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := func(s string) Client {
				if s == "" {
					return Client{}
				}
				return Client{Addr: netip.AddrPortFrom(netip.MustParseAddr(s), 1)}
			}
			if a, b := prefixOf(client(test.a)), prefixOf(client(test.b)); (a == b) != test.same {
				t.Errorf("%v and %v", a, b)
			}
		})
	}
}

func TestHooksOfStrangers(t *testing.T) {
	g, other := NewGate(GateConfig{}), NewGate(GateConfig{})
	ours, theirs := net.Pipe()
	defer theirs.Close()
	g.ConnState(ours, http.StateIdle) // never accepted by a Gate
	c := other.admit(ours)
	g.ConnState(c, http.StateIdle)
	if other.all.idle.Len() != 0 {
		t.Error("a Gate changed a connection of another")
	}
	RequestRead(context.Background())
	ctx := ConnContext(context.Background(), c)
	must(t, c.Close())
	_ = c.Close() // twice is fine
	RequestRead(ctx)
	other.ConnState(c, http.StateIdle)
	if n := other.Counts().Open; n != 0 || other.all.oldest() != nil {
		t.Errorf("a closed connection counts: %d", n)
	}
}
