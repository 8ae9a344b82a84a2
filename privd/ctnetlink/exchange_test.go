// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"errors"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestTogether asks for many at once, more than go into one message, of which some are not
// there, some cannot be asked for, and some are refused: each gets its own answer.
func TestTogether(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		const n = 2*MaxTogether + 10
		targets := make([]ipc.Target, n)
		for i := range targets {
			targets[i] = nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
			targets[i].Orig.SrcPort, targets[i].Reply.DstPort = uint16(i), uint16(i)
			if i%7 != 3 {
				nstest.Create(t, nstest.Connection{Target: targets[i], Mark: uint32(i)})
			}
			if i%7 == 5 {
				targets[i] = withZones(targets[i], 7, 8)
			}
		}
		c := dial(t)
		entries, errs := c.GetAll(targets)
		for i, e := range entries {
			switch {
			case i%7 == 3:
				if !errors.Is(errs[i], ErrNotFound) || e != (Entry{}) {
					t.Errorf("connection %d is not there: %+v, %v", i, e, errs[i])
				}
			case i%7 == 5:
				if !errors.Is(errs[i], ErrRefused) || e != (Entry{}) {
					t.Errorf("connection %d cannot be asked for: %+v, %v", i, e, errs[i])
				}
			case errs[i] != nil || e.Mark() != uint32(i) || e.Target().Orig != targets[i].Orig:
				t.Errorf("connection %d: %+v, %v", i, e, errs[i])
			}
			if i%7 == 1 {
				entries[i].target.ID++
			}
		}
		for i, err := range c.DeleteAll(entries) {
			switch i % 7 {
			case 3, 5:
				if !errors.Is(err, ErrRefused) {
					t.Errorf("delete of nothing, place %d: %v", i, err)
				}
			case 1:
				if !errors.Is(err, ErrNotFound) {
					t.Errorf("delete by another id, place %d: %v", i, err)
				}
			default:
				if err != nil {
					t.Errorf("delete, place %d: %v", i, err)
				}
			}
		}
		left := 0
		for i := range n {
			if i%7 == 1 || i%7 == 5 {
				left++
			}
		}
		if got := len(nstest.List(t)); got != left {
			t.Errorf("%d connections are left, want %d", got, left)
		}
		if entries, errs := c.GetAll(nil); len(entries) != 0 || len(errs) != 0 {
			t.Errorf("nothing was asked for: %v, %v", entries, errs)
		}
	})
}

// TestAnswersOfMaxTogetherFit: all of them lie in the receive buffer before the first is
// read, however large the kernel makes them.
func TestAnswersOfMaxTogetherFit(t *testing.T) {
	c := &Conn{}
	var err error
	if c.sock, err = openSocket(answerSize); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	room, err := unix.GetsockoptInt(c.sock.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		t.Fatal(err)
	}
	// NLMSG_GOODSIZE is a page, and what manages it is less than a quarter of one.
	if each := unix.Getpagesize() * 5 / 4; room < MaxTogether*each {
		t.Errorf("the buffer of %d bytes does not hold %d answers of %d", room, MaxTogether, each)
	}
}

// TestOneLostAnswerLosesThoseBehindIt: what came before stays known, and the next call works.
func TestOneLostAnswerLosesThoseBehindIt(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		targets := make([]ipc.Target, 5)
		for i := range targets {
			targets[i] = nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
			targets[i].Orig.SrcPort, targets[i].Reply.DstPort = uint16(i), uint16(i)
			nstest.Create(t, nstest.Connection{Target: targets[i]})
		}
		errs := c.exchange("get", len(targets), func(i int, seq uint32) (request, error) {
			r, err := encodeGet(targets[i], seq)
			if i == 2 {
				r.seq += 100 // an answer to something else, to who waits for this
			}
			return r, err
		}, func(int, []byte) error { return nil })
		for i, err := range errs {
			if lost := i >= 2; lost != errors.Is(err, errMalformed) || !lost && err != nil {
				t.Errorf("answer %d: %v", i, err)
			}
		}
		entries, errs := c.GetAll(targets)
		for i, err := range errs {
			if err != nil || entries[i].Target().Orig != targets[i].Orig {
				t.Errorf("afterwards, connection %d: %v", i, err)
			}
		}
	})
}
