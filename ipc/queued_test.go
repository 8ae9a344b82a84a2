// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestReadQueued sends what is to be queued before the other end looks.
func TestReadQueued(t *testing.T) {
	kill, err := Request{Op: OpKill, Seq: 1, Target: tcpTarget(), Actor: somebody()}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		packets   [][]byte
		control   []byte
		close     bool
		ok        int // as many requests are there
		malformed bool
		ended     bool
	}{
		{name: "nothing"},
		{name: "one", packets: [][]byte{kill}, ok: 1},
		{name: "three", packets: [][]byte{kill, kill, kill}, ok: 3},
		{name: "malformed behind one", packets: [][]byte{kill, kill[:50], kill}, ok: 1, malformed: true},
		{name: "too long", packets: [][]byte{make([]byte, MaxRequest+1)}, malformed: true},
		{name: "descriptors", packets: [][]byte{kill}, control: unix.UnixRights(0), malformed: true},
		{name: "the peer has left", packets: [][]byte{kill}, close: true, ok: 1, ended: true},
		{name: "an empty packet", packets: [][]byte{{}}, ended: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent, done := make(chan struct{}), make(chan struct{})
			h := listen(t, func(s *ServerConn) {
				defer close(done)
				<-sent
				for range c.ok {
					if r, ok, err := s.ReadQueued(); !ok || err != nil || r.Op != OpKill || r.Target != tcpTarget() {
						t.Errorf("request %+v, %v, %v", r, ok, err)
					}
				}
				var bad *ProtocolError
				_, ok, err := s.ReadQueued()
				if ok || errors.As(err, &bad) != c.malformed || errors.Is(err, io.EOF) != c.ended {
					t.Errorf("behind them: %v, %v", ok, err)
				}
				if !c.malformed && !c.ended && err != nil {
					t.Errorf("nothing is there: %v", err)
				}
			})
			conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: h.path, Net: "unixpacket"})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for _, p := range c.packets {
				if _, _, err := conn.WriteMsgUnix(p, c.control, nil); err != nil {
					t.Fatal(err)
				}
			}
			if c.close {
				conn.Close()
			}
			close(sent)
			<-done
		})
	}
}

// TestReadQueuedWaitsForNobody: not even when the time to read has passed.
func TestReadQueuedWaitsForNobody(t *testing.T) {
	done := make(chan struct{})
	h := listen(t, func(s *ServerConn) {
		defer close(done)
		if _, err := s.ReadRequest(time.Unix(1, 0)); err == nil {
			t.Error("nothing was read")
		}
		if _, ok, err := s.ReadQueued(); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	})
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: h.path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	<-done
}
