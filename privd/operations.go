// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"context"
	"fmt"
	"time"

	"nuconntrack/ipc"
)

// A state is what a connection has come to.
type state uint32

const (
	stateNew     state = iota // hello has not come
	stateControl              // said hello for control
	stateDump                 // said hello for dumps, none is under way
	stateDumping              // a dump is under way or waits for its turn
)

func (s state) String() string {
	return [...]string{"before hello", "on a control connection", "on a dump connection", "during a dump"}[s]
}

// An operation is what a peer may ask for, and when. handle runs on the connection's
// reading goroutine; its error ends the connection.
type operation struct {
	op     ipc.Op
	in     state
	handle func(*conn, context.Context, ipc.Request) error
}

// operations are all there are. What is not in this table is refused.
var operations = [...]operation{
	{ipc.OpHello, stateNew, (*conn).hello},
	{ipc.OpStats, stateControl, (*conn).stats},
	{ipc.OpKill, stateControl, (*conn).kill},
	{ipc.OpChange, stateControl, (*conn).change},
	{ipc.OpDump, stateDump, (*conn).dump},
}

// permitted finds the operation for a request in a state.
func permitted(op ipc.Op, in state) (operation, error) {
	for _, o := range operations {
		if o.op == op && o.in == in {
			return o, nil
		}
	}
	return operation{}, &ipc.ProtocolError{Reason: fmt.Sprintf("%s %s", op, in)}
}

func (c *conn) hello(_ context.Context, r ipc.Request) error {
	if r.Purpose == ipc.PurposeDump {
		c.setState(stateDump)
	} else {
		c.setState(stateControl)
	}
	return c.answer(ipc.Answer{Op: r.Op, Seq: r.Seq, MaxInFlight: ipc.MaxInFlight})
}

// stats answers with what could be read; Known says what that is.
func (c *conn) stats(_ context.Context, r ipc.Request) error {
	stats, err := c.server.cfg.Reader.Stats()
	if err != nil {
		c.server.warnings.warn("statistics are not complete", "error", err)
	}
	return c.answer(ipc.Answer{Op: r.Op, Seq: r.Seq, Stats: stats})
}

func (c *conn) answer(a ipc.Answer) error {
	if err := c.wire.WriteAnswer(a, time.Now().Add(c.server.limits.Write)); err != nil {
		return fmt.Errorf("answer %s: %w", a.Op, err)
	}
	return nil
}
