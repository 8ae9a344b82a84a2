// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"context"

	"nuconntrack/ipc"
	"nuconntrack/privd/ctnetlink"
)

// A group is kills that wait on a connection already, and that are carried out together:
// each step for all of them before the next one, so that the kernel is told once where it
// would be told for each. The time from reading a connection to deleting it grows with
// that, to about a millisecond; what takes its place meanwhile has another id, and the
// kernel refuses to delete it.
//
// No two of a group name the same tuple, in whichever direction or zone: what the first
// did the second has to find done.
type group struct {
	requests []ipc.Request
	tuples   map[tuple]struct{}
}

// maxGroup bounds what waits for the slowest step of a group, the audit, and what is asked
// of the kernel at once.
const maxGroup = ctnetlink.MaxTogether

// tuple is a tuple of some zone.
type tuple struct {
	protocol uint8
	ipc.Tuple
}

// begin empties it, for the next one to have its room.
func (g *group) begin() {
	if g.tuples == nil {
		g.tuples = make(map[tuple]struct{}, 2*maxGroup)
	}
	clear(g.tuples)
	g.requests = g.requests[:0]
}

// add takes a request in, unless it has to wait for the group to be done.
func (g *group) add(r ipc.Request) bool {
	if r.Op != ipc.OpKill && len(g.requests) > 0 || len(g.requests) == maxGroup {
		return false
	}
	orig, reply := tuple{r.Target.Protocol, r.Target.Orig}, tuple{r.Target.Protocol, r.Target.Reply}
	orig.Zone, reply.Zone = 0, 0
	_, sent := g.tuples[orig]
	_, answered := g.tuples[reply]
	if sent || answered {
		return false
	}
	g.tuples[orig], g.tuples[reply] = struct{}{}, struct{}{}
	g.requests = append(g.requests, r)
	return true
}

// kill carries out a kill, and others that have come behind it.
func (c *conn) kill(_ context.Context, r ipc.Request) error {
	g := &c.group
	g.begin()
	for g.add(r) {
		var ok bool
		var err error
		if r, ok, err = c.wire.ReadQueued(); err != nil || !ok {
			c.ahead.err = err
			return c.act(g.requests)
		}
	}
	c.ahead.request, c.ahead.waits = r, true
	return c.act(g.requests)
}

// change carries out a change.
func (c *conn) change(_ context.Context, r ipc.Request) error {
	return c.act([]ipc.Request{r})
}

// act acts and answers. It is not cut short when the peer goes away.
func (c *conn) act(requests []ipc.Request) error {
	for _, a := range c.server.act(c.wire.Peer(), requests) {
		if err := c.answer(ipc.Answer{Op: a.req.Op, Seq: a.req.Seq, Result: a.result}); err != nil {
			return err
		}
	}
	return nil
}

// ahead is what was read behind a group and is not part of it: a request, or why there
// will be none.
type ahead struct {
	request ipc.Request
	waits   bool
	err     error
}
