// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sync/errgroup"
)

const (
	// pingTick is the time between two echo requests of a flow. It is shorter than the
	// 30 s after which the kernel forgets such a flow.
	pingTick = time.Second
	// maxPing is the largest payload, in bytes.
	maxPing = 1000
)

// pings keeps echo requests going. The kernel answers them.
func pings(ctx context.Context, start time.Time, withIPv6 bool) error {
	all := routes(offices4[7:],
		netip.AddrPortFrom(web4.Addr(), 0), netip.AddrPortFrom(dns4.Addr(), 0))
	all = append(all, routes(guests4[:2], netip.AddrPortFrom(web4.Addr(), 0))...)
	all = append(all, routes(offices6[:3], netip.AddrPortFrom(web6.Addr(), 0))...)
	var g errgroup.Group
	for i, r := range reachableRoutes(all, withIPv6) {
		g.Go(func() error { return ping(ctx, r, uint16(1000+i), start) })
	}
	return g.Wait()
}

// ping sends echo requests with one id, with a raw socket: in its own namespace any user
// has CAP_NET_RAW.
func ping(ctx context.Context, r route, id uint16, start time.Time) error {
	network, kind := "ip4:icmp", icmp.Type(ipv4.ICMPTypeEcho)
	if r.from.Is6() {
		network, kind = "ip6:ipv6-icmp", ipv6.ICMPTypeEchoRequest
	}
	c, err := icmp.ListenPacket(network, r.from.String())
	if err != nil {
		return fmt.Errorf("open ICMP socket: %w", err)
	}
	defer c.Close()
	to := &net.IPAddr{IP: r.to.Addr().AsSlice()}
	size := tide{average: 300, period: between(20*time.Second, 40*time.Second), phase: rand.Float64()}
	// Nobody reads the replies: the kernel drops what does not fit the socket's buffer.
	for sequence := 1; pause(ctx, pingTick); sequence++ {
		payload := min(size.burst(time.Since(start), pingTick, randomStep(), 8), maxPing)
		message := icmp.Message{Type: kind, Body: &icmp.Echo{
			ID: int(id), Seq: sequence & 0xffff, Data: filler[:payload],
		}}
		packet, err := message.Marshal(nil) // the kernel fills in the checksum of ICMPv6
		if err != nil {
			return fmt.Errorf("build echo request: %w", err)
		}
		c.WriteTo(packet, to) // may be dropped by a rule or a kill: then the next one
	}
	return nil
}
