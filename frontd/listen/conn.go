// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"container/list"
	"net"
	"net/netip"
)

// phase is what a connection does.
type phase int

const (
	phaseNone    phase = iota // not counted: not yet, or no more
	phaseReading              // a request is awaited for the first time, or coming in
	phaseIdle                 // kept open after an answer
	phaseWorking              // a request came in full and is not answered yet
)

// conn is a connection that a Gate counts.
type conn struct {
	net.Conn
	gate   *Gate
	client Client

	// The rest is guarded by Gate.mu.
	phase        phase
	from         *source
	inAll, inOwn *list.Element // places in the lists of the Gate and of from; nil while working
}

// gated returns the counted connection that c is or wraps, or nil.
func gated(c net.Conn) *conn {
	own, _ := unwrap(c).(*conn)
	return own
}

// Close closes the connection and frees its place.
func (c *conn) Close() error {
	c.gate.mu.Lock()
	c.forgetLocked()
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite lets http.Server end an answer without a reset that would destroy it on its way,
// where the client has sent more than was read.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *conn) become(p phase) {
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	if c.phase != phaseNone {
		c.becomeLocked(p)
	}
}

// becomeLocked puts the connection at the end of the list of its phase. One that is there already
// keeps its place: a client that sends byte by byte does not get younger.
func (c *conn) becomeLocked(p phase) {
	if c.phase == p {
		return
	}
	c.leaveLocked()
	c.phase = p
	all, own := &c.gate.all, &c.from.waiting
	switch p {
	case phaseReading:
		c.inAll, c.inOwn = all.reading.PushBack(c), own.reading.PushBack(c)
	case phaseIdle:
		c.inAll, c.inOwn = all.idle.PushBack(c), own.idle.PushBack(c)
	case phaseNone, phaseWorking:
	}
}

// leaveLocked takes the connection out of the lists.
func (c *conn) leaveLocked() {
	if c.inAll == nil {
		return
	}
	all, own := &c.gate.all.reading, &c.from.waiting.reading
	if c.phase == phaseIdle {
		all, own = &c.gate.all.idle, &c.from.waiting.idle
	}
	all.Remove(c.inAll)
	own.Remove(c.inOwn)
	c.inAll, c.inOwn = nil, nil
}

// forgetLocked frees the place of the connection. Doing it twice is no error.
func (c *conn) forgetLocked() {
	if c.phase == phaseNone {
		return
	}
	c.becomeLocked(phaseNone)
	c.gate.counts.Open--
	c.from.open--
	c.gate.dropLocked(c.client, c.from)
}

// prefixOf returns what connections of a client with an address count under.
func prefixOf(c Client) netip.Prefix {
	bits := c.Addr.Addr().BitLen()
	if c.Addr.Addr().Is6() {
		bits = ipv6Bits
	}
	// The zero Prefix stands for all whose address is not known.
	p, _ := c.Addr.Addr().WithZone("").Prefix(bits)
	return p
}

// sourceLocked returns the source of a client, a new one if it has no connection.
func (g *Gate) sourceLocked(c Client) *source {
	if c.PeerKnown {
		if g.users[c.Peer.UID] == nil {
			g.users[c.Peer.UID] = &source{}
		}
		return g.users[c.Peer.UID]
	}
	p := prefixOf(c)
	if g.sources[p] == nil {
		g.sources[p] = &source{}
	}
	return g.sources[p]
}

// dropLocked forgets a source that has no connection.
func (g *Gate) dropLocked(c Client, s *source) {
	switch {
	case s.open > 0:
	case c.PeerKnown:
		delete(g.users, c.Peer.UID)
	default:
		delete(g.sources, prefixOf(c))
	}
}
