// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"context"
	"fmt"
	"time"

	"nuconntrack/ipc"
)

// dump starts a relay and returns, so that the reading goroutine sees when the peer
// leaves, or sends what it must not.
func (c *conn) dump(ctx context.Context, r ipc.Request) error {
	c.setState(stateDumping)
	c.relays.Go(func() {
		c.relaying.Lock()
		defer c.relaying.Unlock()
		if err := c.relay(ctx, r.Seq); err != nil {
			if ctx.Err() == nil { // else the reading goroutine has something to report
				c.server.report(c.wire.Peer(), stateDumping, err)
			}
			c.wire.Close()
		}
	})
	return nil
}

// relay waits for its turn, passes the kernel's messages on as they come, and answers.
// An error means that the peer cannot be told any more.
func (c *conn) relay(ctx context.Context, seq uint64) error {
	end, err := c.server.relay(ctx, c, seq)
	if err != nil {
		return err
	}
	// Before the answer: the peer may ask for the next dump as soon as it has it.
	c.setState(stateDump)
	return c.answer(ipc.Answer{Op: ipc.OpDump, Seq: seq, End: end})
}

func (s *Server) relay(ctx context.Context, c *conn, seq uint64) (ipc.DumpEnd, error) {
	if err := s.takeTurn(ctx); err != nil {
		return ipc.DumpEnd{}, err
	}
	defer s.endTurn()
	ctx, cancel := context.WithTimeout(ctx, s.limits.Dump)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.wire.Close() }) // ends a write that waits
	defer stop()

	began := time.Now()
	var lost error
	interrupted, n, err := s.cfg.Reader.Dump(ctx, func(messages []byte) error {
		lost = c.wire.WriteData(seq, messages, time.Now().Add(s.limits.Write))
		return lost
	})
	switch {
	case ctx.Err() != nil:
		return ipc.DumpEnd{}, fmt.Errorf("relay dump: %w", ctx.Err())
	case lost != nil:
		return ipc.DumpEnd{}, fmt.Errorf("relay dump: %w", lost)
	case err != nil:
		s.warnings.warn("dump failed", "error", err)
	}
	return ipc.DumpEnd{
		Errno: uint32(errno(err)), Interrupted: interrupted, Bytes: n, Spent: time.Since(began),
	}, nil
}

// takeTurn waits until no other dump is under way and the policy's pace permits one.
func (s *Server) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		ok, wait := s.pacer.Begin(time.Now())
		if ok {
			return nil
		}
		timer := time.NewTimer(min(wait, paceCheck))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			<-s.turn
			return ctx.Err()
		}
	}
}

func (s *Server) endTurn() {
	s.pacer.End(time.Now())
	<-s.turn
}
