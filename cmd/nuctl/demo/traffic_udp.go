// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// maxDatagram fits the smallest IPv6 path with its headers, in bytes.
	maxDatagram = 1200
	// udpTick is the time between two bursts of a steady flow.
	udpTick = 500 * time.Millisecond
	// lookupDeadline is how long a look-up waits for its answer.
	lookupDeadline = 2 * time.Second
)

func listenUDP(ctx context.Context, address netip.AddrPort) (*net.UDPConn, error) {
	c, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address.String())
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return c.(*net.UDPConn), nil
}

// echoUDP sends every datagram back until the context ends.
func echoUDP(ctx context.Context, c *net.UDPConn) error {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	buffer := make([]byte, maxDatagram)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buffer)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("read datagram: %w", err)
		}
		// A client that is gone, or a full buffer, loses its answer, as in life.
		c.WriteToUDPAddrPort(buffer[:n], from)
	}
}

func dialUDP(ctx context.Context, r route) (*net.UDPConn, error) {
	d := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.from, 0))}
	c, err := d.DialContext(ctx, "udp", r.to.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// steadyUDP keeps flows going: tunnels, and clocks that ask for the time.
func steadyUDP(ctx context.Context, start time.Time, ipv6 bool) error {
	var g errgroup.Group
	for _, kind := range []struct {
		routes  []route
		average float64
	}{
		{routes(offices4[:3], tunnel4), 12e3},
		{routes(guests4[:2], tunnel4), 6e3},
		{routes(offices6[:2], tunnel6), 12e3},
		{routes(offices4[4:7], time4), 50},
		{routes(offices4[7:9], publicDNS4), 80},
	} {
		for _, r := range reachableRoutes(kind.routes, ipv6) {
			rate := tide{average: kind.average, period: between(20*time.Second, 60*time.Second), phase: rand.Float64()}
			g.Go(func() error {
				for pause(ctx, between(0, time.Second)) {
					flow(ctx, r, start, &rate)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// flow sends bursts from one port, and reads what comes back.
func flow(ctx context.Context, r route, start time.Time, rate *tide) {
	c, err := dialUDP(ctx, r)
	if err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	go func() { // ends with the socket
		buffer := make([]byte, maxDatagram)
		for {
			if _, err := c.Read(buffer); err != nil {
				return
			}
		}
	}()
	for pause(ctx, udpTick) {
		for left := rate.burst(time.Since(start), udpTick, randomStep(), 48); left > 0; left -= maxDatagram {
			if _, err := c.Write(filler[:min(left, maxDatagram)]); err != nil {
				return
			}
		}
	}
}

// briefUDP makes look-ups, each from a new port.
func briefUDP(ctx context.Context, ipv6 bool) error {
	all := reachableRoutes(slices.Concat(
		routes(offices4, dns4, publicDNS4), routes(guests4, dns4), routes(offices6, dns6),
	), ipv6)
	for pause(ctx, between(time.Second, 3*time.Second)) {
		lookUp(ctx, all[rand.IntN(len(all))])
	}
	return nil
}

func lookUp(ctx context.Context, r route) {
	c, err := dialUDP(ctx, r)
	if err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	c.SetDeadline(time.Now().Add(lookupDeadline))
	if _, err := c.Write(filler[:30+rand.IntN(40)]); err != nil {
		return
	}
	c.Read(make([]byte, maxDatagram))
}
