// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Defaults and bounds of GateConfig.
const (
	DefaultTotal      = 1024
	DefaultPerAddress = 256

	// ipv6Bits is the part of an IPv6 address that counts as one: whoever has one address has
	// 2^64 of them (RFC 4291, section 2.5.1).
	ipv6Bits = 64
	// logEvery is the shortest time between two log lines on a full Gate.
	logEvery = 10 * time.Second
)

// GateConfig configures a Gate.
type GateConfig struct {
	// Total and PerAddress bound the open connections, in all and from one address. IPv6
	// addresses count by /64, Unix sockets by the user at the other end. 0 or negative:
	// DefaultTotal and DefaultPerAddress.
	Total, PerAddress int
	// Log is told of connections that were closed, in a line now and then. nil: nothing is
	// logged.
	Log *slog.Logger
}

// A Gate bounds the connections of all listeners that Bind has wrapped, and is safe for
// concurrent use.
//
// When a bound is met, the newcomer gets in and another goes: the one that has been kept open
// without a request the longest, else the one that has been sending its request the longest,
// from the same address if it is that bound. So those who connect and hang around only
// push out each other. What is never closed is a connection whose request is being worked
// on. If there are only such, the newcomer is closed.
//
// To know all that, a Gate has to be told: http.Server's ConnState must be Gate.ConnState
// and its ConnContext ConnContext, and the handler must call RequestRead.
type Gate struct {
	log *slog.Logger

	mu                sync.Mutex // guards the rest, and the fields of conn that say so
	total, perAddress int
	all               waiting
	sources           map[netip.Prefix]*source
	users             map[uint32]*source
	counts            Counts
	logged            Counts
	logAt             time.Time
}

// Counts are what a Gate has seen. All but Open only grow.
type Counts struct {
	// Open connections now.
	Open int
	// Accepted counts connections that got in, Evicted those that were closed to make room,
	// Refused those that found no room.
	Accepted, Evicted, Refused uint64
}

// source is one address, or one user of Unix sockets, with at least one connection.
type source struct {
	open    int
	waiting waiting
}

// waiting has connections that may be closed, each kind with the oldest first.
type waiting struct{ idle, reading list.List }

// oldest returns who is to go first, nil if nobody is.
func (w *waiting) oldest() *conn {
	for _, l := range []*list.List{&w.idle, &w.reading} {
		if e := l.Front(); e != nil {
			return e.Value.(*conn)
		}
	}
	return nil
}

// SetLimits replaces Total and PerAddress of the GateConfig, for all who come from now on. Nobody is
// closed who is open.
func (g *Gate) SetLimits(total, perAddress int) {
	if total <= 0 {
		total = DefaultTotal
	}
	if perAddress <= 0 {
		perAddress = DefaultPerAddress
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total, g.perAddress = total, perAddress
}

// NewGate returns a Gate without connections.
func NewGate(cfg GateConfig) *Gate {
	g := &Gate{
		log:     cfg.Log,
		sources: map[netip.Prefix]*source{}, users: map[uint32]*source{},
	}
	g.SetLimits(cfg.Total, cfg.PerAddress)
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	return g
}

// Bind returns l with the bounds of the Gate. TLS goes around it, not below it: a handshake that
// hangs is then a request that hangs.
func (g *Gate) Bind(l net.Listener) net.Listener { return &bound{Listener: l, gate: g} }

// Counts returns the counts as they are now.
func (g *Gate) Counts() Counts {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts
}

// ConnState is for http.Server.ConnState.
func (g *Gate) ConnState(c net.Conn, state http.ConnState) {
	own := gated(c)
	if own == nil || own.gate != g {
		return
	}
	switch state {
	case http.StateActive:
		own.become(phaseReading)
	case http.StateIdle:
		own.become(phaseIdle)
	case http.StateHijacked:
		own.become(phaseWorking)
	case http.StateNew, http.StateClosed:
		// Accept counts it, Close forgets it.
	}
}

// RequestRead says that the request ctx belongs to has come in full: from here to the next
// one its connection is not closed to make room. Without ConnContext and a Gate it does nothing.
func RequestRead(ctx context.Context) {
	if s, ok := ctx.Value(contextKey{}).(stored); ok && s.conn != nil {
		s.conn.become(phaseWorking)
	}
}

// bound is a listener with a Gate before it.
type bound struct {
	net.Listener
	gate *Gate
}

// Accept waits for a connection that gets in. It never waits for another one to go.
func (b *bound) Accept() (net.Conn, error) {
	for {
		raw, err := b.Listener.Accept()
		if err != nil {
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
				// http.Server tries again after a pause. Descriptors may be short because the
				// limit of the process is lower than that of the Gate: let somebody go.
				b.gate.makeRoom()
			}
			return nil, err
		}
		if c := b.gate.admit(raw); c != nil {
			return c, nil
		}
	}
}

// admit returns the connection to serve, or closes raw and returns nil.
func (g *Gate) admit(raw net.Conn) *conn {
	c := &conn{Conn: raw, gate: g, client: ClientOf(raw)}
	g.mu.Lock()
	from := g.sourceLocked(c.client)
	var victim *conn
	ok := true
	switch {
	case from.open >= g.perAddress:
		victim = from.waiting.oldest()
		ok = victim != nil
	case g.counts.Open >= g.total:
		victim = g.all.oldest()
		ok = victim != nil
	}
	if victim != nil {
		g.counts.Evicted++
		victim.forgetLocked()
		from = g.sourceLocked(c.client) // the victim may have been its last
	}
	if ok {
		c.from = from
		from.open++
		g.counts.Open++
		g.counts.Accepted++
		c.becomeLocked(phaseReading)
	} else {
		g.counts.Refused++
		g.dropLocked(c.client, from)
	}
	report, full := g.reportLocked()
	total, perAddress := g.total, g.perAddress
	g.mu.Unlock()

	if full {
		g.log.Warn("too many connections", "open", report.Open, "closed_to_make_room", report.Evicted,
			"refused", report.Refused, "max", total, "max_per_address", perAddress, "last", c.client.String())
	}
	if victim != nil {
		_ = victim.Conn.Close() // nobody is left to tell
	}
	if !ok {
		_ = raw.Close()
		return nil
	}
	return c
}

// makeRoom closes the connection that is to go first, if there is one.
func (g *Gate) makeRoom() {
	g.mu.Lock()
	victim := g.all.oldest()
	if victim != nil {
		g.counts.Evicted++
		victim.forgetLocked()
	}
	g.mu.Unlock()
	if victim != nil {
		_ = victim.Conn.Close() // nobody is left to tell
	}
}

// reportLocked returns what happened since it was last worth a line, and whether it is now.
func (g *Gate) reportLocked() (Counts, bool) {
	since := Counts{
		Open:    g.counts.Open,
		Evicted: g.counts.Evicted - g.logged.Evicted,
		Refused: g.counts.Refused - g.logged.Refused,
	}
	if since.Evicted+since.Refused == 0 {
		return Counts{}, false
	}
	now := time.Now()
	if now.Sub(g.logAt) < logEvery {
		return Counts{}, false
	}
	g.logAt, g.logged = now, g.counts
	return since, true
}
