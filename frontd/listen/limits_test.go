// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"net"
	"testing"
)

// TestSetLimits: new limits hold for who comes, and nobody who is in is thrown out by them.
func TestSetLimits(t *testing.T) {
	s := serve(t, GateConfig{Total: 10, PerAddress: 3})
	var working []net.Conn
	work := func(from string) {
		t.Helper()
		c := s.connect(t, from)
		must(t, ask(c, "/wait"))
		<-s.waiting
		working = append(working, c)
	}
	for range 3 {
		work("127.0.0.2")
	}
	isClosed(t, s.connect(t, "127.0.0.2"))
	s.gate.SetLimits(10, 4)
	work("127.0.0.2") // a higher bound of one address holds at once
	s.gate.SetLimits(4, 2)
	isClosed(t, s.connect(t, "127.0.0.2")) // a lower one too
	isClosed(t, s.connect(t, "127.0.0.3")) // and the lower one of all
	if c := s.gate.Counts(); c.Open != 4 || c.Evicted != 0 || c.Refused != 3 {
		t.Errorf("counts %+v", c)
	}
	s.gate.SetLimits(0, -1)
	for range DefaultTotal / 100 {
		work("127.0.0.3") // no limits are those by default
	}
	close(s.release)
	for _, c := range working {
		if _, err := answer(c); err != nil {
			t.Errorf("one who was in has no answer: %v", err)
		}
	}
}
