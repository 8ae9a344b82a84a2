// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// exchangeDeadline is how long a client waits for an answer. A killed connection
	// never gets one: after this time its client gives up and makes a new one.
	exchangeDeadline = 10 * time.Second
	// idleDeadline is the server's side of the same.
	idleDeadline = 30 * time.Second
	// tcpTick is the time between two exchanges of a steady connection.
	tcpTick = 700 * time.Millisecond
	// maxVisits is the number of short connections that are open at a time.
	maxVisits = 12
	// exchangeHeader is two 32-bit numbers in network order: bytes that follow, and bytes
	// that are wanted as the answer; at most maxBurst each.
	exchangeHeader = 8
)

// filler is what all connections carry.
var filler [maxBurst]byte

func listenTCP(ctx context.Context, address netip.AddrPort) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address.String())
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// serveTCP answers exchanges on every connection until the context ends.
func serveTCP(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		go func() {
			defer context.AfterFunc(ctx, func() { c.Close() })()
			defer c.Close()
			for answer(c) == nil {
			}
		}()
	}
}

// answer is the server's side of one exchange.
func answer(c net.Conn) error {
	c.SetDeadline(time.Now().Add(idleDeadline))
	var header [exchangeHeader]byte
	if _, err := io.ReadFull(c, header[:]); err != nil {
		if !errors.Is(err, io.EOF) {
			abandon(c)
		}
		return err
	}
	up := binary.BigEndian.Uint32(header[0:])
	down := min(binary.BigEndian.Uint32(header[4:]), maxBurst)
	if _, err := io.CopyN(io.Discard, c, int64(up)); err != nil {
		return err
	}
	_, err := c.Write(filler[:down])
	return err
}

// exchange is the client's side.
func exchange(c net.Conn, up, down int) error {
	c.SetDeadline(time.Now().Add(exchangeDeadline))
	message := binary.BigEndian.AppendUint32(make([]byte, 0, exchangeHeader+up), uint32(up))
	message = binary.BigEndian.AppendUint32(message, uint32(down))
	message = append(message, filler[:up]...)
	if _, err := c.Write(message); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, c, int64(down))
	return err
}

// abandon makes the coming Close drop the connection at once: the kernel would
// send the end of a killed one again and again, and nothing would let it pass.
func abandon(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
}

// steadyRoutes are the connections that stay, with their average rates in bytes a second.
func steadyRoutes() []struct {
	routes   []route
	up, down float64
} {
	return []struct {
		routes   []route
		up, down float64
	}{
		{routes(offices4[:8], web4), 2e3, 40e3},
		{routes(offices4[:3], database4), 6e3, 20e3},
		{routes(offices4[3:6], mail4), 20e3, 500},
		{routes(offices4[5:], publicWeb4), 1e3, 30e3},
		{routes(guests4[:], web4), 1e3, 15e3},
		{routes(offices6, web6), 2e3, 50e3},
		{routes(offices6[:2], publicWeb6), 1e3, 25e3},
		{routes(offices6[2:4], mail6), 10e3, 300},
		{routes(offices4[:1], ssh4), 200, 600},
		{routes(offices6[:1], ssh6), 200, 600},
	}
}

func steadyTCP(ctx context.Context, start time.Time, ipv6 bool) error {
	var g errgroup.Group
	for _, kind := range steadyRoutes() {
		for _, r := range reachableRoutes(kind.routes, ipv6) {
			period := between(15*time.Second, 90*time.Second)
			up := tide{average: kind.up, period: period, phase: rand.Float64()}
			down := tide{average: kind.down, period: period, phase: rand.Float64()}
			g.Go(func() error {
				for pause(ctx, between(0, 2*time.Second)) {
					stay(ctx, r, start, &up, &down)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// stay keeps one connection going until it fails or the context ends.
func stay(ctx context.Context, r route, start time.Time, up, down *tide) {
	c, err := dialTCP(ctx, r)
	if err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	for pause(ctx, tcpTick) {
		since := time.Since(start)
		if err := exchange(c, up.burst(since, tcpTick, randomStep(), 1), down.burst(since, tcpTick, randomStep(), 1)); err != nil {
			abandon(c)
			return
		}
	}
}

// briefTCP makes connections that come and go.
func briefTCP(ctx context.Context, ipv6 bool) error {
	all := reachableRoutes(slices.Concat(
		routes(offices4, web4, plainWeb4, publicWeb4, database4),
		routes(guests4, web4, plainWeb4),
		routes(offices6, web6, publicWeb6),
	), ipv6)
	var g errgroup.Group
	g.SetLimit(maxVisits)
	for pause(ctx, between(400*time.Millisecond, 1600*time.Millisecond)) {
		r := all[rand.IntN(len(all))]
		g.Go(func() error {
			visit(ctx, r)
			return nil
		})
	}
	return g.Wait()
}

// visit is a connection of a few exchanges.
func visit(ctx context.Context, r route) {
	c, err := dialTCP(ctx, r)
	if err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	for range 1 + rand.IntN(6) {
		if err := exchange(c, 1+rand.IntN(2<<10), 1+rand.IntN(64<<10)); err != nil {
			abandon(c)
			return
		}
		if !pause(ctx, between(50*time.Millisecond, time.Second)) {
			return
		}
	}
}

func dialTCP(ctx context.Context, r route) (net.Conn, error) {
	d := net.Dialer{
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(r.from, 0)),
		Timeout:   exchangeDeadline,
	}
	return d.DialContext(ctx, "tcp", r.to.String())
}
