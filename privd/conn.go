// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"nuconntrack/ipc"
)

// conn is one connection of the peer. One goroutine reads and handles its requests, one
// after the other or, kills, in groups, so that answers keep the order of the requests; what
// is in flight waits in the socket. Only a dump has a goroutine of its own, which then is the only one
// to write.
type conn struct {
	server *Server
	raw    *net.UnixConn // the same as wire
	wire   *ipc.ServerConn
	group  group
	ahead  ahead
	phase  atomic.Uint32 // a state; stateDumping ends on the dump's goroutine

	relaying sync.Mutex     // held by a dump until its answer is written
	relays   sync.WaitGroup // dumps, at most one under way and one about to follow
}

func (c *conn) state() state     { return state(c.phase.Load()) }
func (c *conn) setState(s state) { c.phase.Store(uint32(s)) }

// serve handles requests until the peer leaves, errs, or ctx ends. A request that is
// being handled then gets its answer; those that wait behind it are not looked at.
func (c *conn) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer c.relays.Wait()
	defer c.wire.Close()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.raw.CloseRead() })
	defer stop()

	deadline := time.Now().Add(c.server.limits.Hello)
	for {
		r, err := c.next(deadline)
		if ctx.Err() != nil {
			c.wire.Discard()
			return ctx.Err()
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && c.state() == stateDumping:
			// Nothing is asked for during a dump. The read took nothing off the socket.
		case err != nil:
			return err
		default:
			o, err := permitted(r.Op, c.state())
			if err != nil {
				return err
			}
			if err := o.handle(c, ctx, r); err != nil {
				return err
			}
		}
		deadline = time.Now().Add(c.server.limits.Idle)
	}
}

// next gives the request that was read ahead, or waits for one.
func (c *conn) next(deadline time.Time) (ipc.Request, error) {
	now := c.ahead
	c.ahead = ahead{}
	if now.waits || now.err != nil {
		return now.request, now.err
	}
	return c.wire.ReadRequest(deadline)
}

// report says why a connection ended, and charges for what was malformed.
func (s *Server) report(peer ipc.Peer, in state, err error) {
	var malformed *ipc.ProtocolError
	switch {
	case errors.As(err, &malformed):
		s.bucket.Take(time.Now())
		s.warnings.warn("connection closed: peer broke the protocol", "error", err, "pid", peer.PID)
	case errors.Is(err, os.ErrDeadlineExceeded) && in == stateNew:
		s.warnings.warn("connection closed: no hello in time", "pid", peer.PID)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		s.warnings.warn("connection closed: peer is too slow or silent", "error", err, "pid", peer.PID)
	case errors.Is(err, io.EOF), errors.Is(err, context.Canceled):
		s.cfg.Log.Debug("connection ended", "pid", peer.PID)
	default:
		s.cfg.Log.Debug("connection lost", "error", err, "pid", peer.PID)
	}
}
