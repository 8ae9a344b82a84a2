// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
)

// The hosts and ports of the demo's world.
var (
	web4       = netip.MustParseAddrPort("198.51.100.10:443")
	plainWeb4  = netip.MustParseAddrPort("198.51.100.10:80")
	hiddenWeb4 = netip.MustParseAddrPort("198.51.100.11:8080")
	publicWeb4 = netip.MustParseAddrPort("203.0.113.80:80")
	database4  = netip.MustParseAddrPort("198.51.100.20:5432")
	mail4      = netip.MustParseAddrPort("198.51.100.25:25")
	ssh4       = netip.MustParseAddrPort("198.51.100.22:22")
	web6       = netip.MustParseAddrPort("[2001:db8:10::10]:443")
	hiddenWeb6 = netip.MustParseAddrPort("[2001:db8:10::11]:8080")
	publicWeb6 = netip.MustParseAddrPort("[2001:db8:30::80]:80")
	mail6      = netip.MustParseAddrPort("[2001:db8:10::15]:25")
	ssh6       = netip.MustParseAddrPort("[2001:db8:10::12]:22")

	dns4       = netip.MustParseAddrPort("198.51.100.53:53")
	publicDNS4 = netip.MustParseAddrPort("203.0.113.53:53")
	time4      = netip.MustParseAddrPort("198.51.100.123:123")
	tunnel4    = netip.MustParseAddrPort("198.51.100.40:4500")
	dns6       = netip.MustParseAddrPort("[2001:db8:10::13]:53")
	tunnel6    = netip.MustParseAddrPort("[2001:db8:10::14]:4500")

	tcpServers = []netip.AddrPort{web4, plainWeb4, hiddenWeb4, database4, mail4, ssh4, web6, hiddenWeb6, mail6, ssh6}
	udpServers = []netip.AddrPort{dns4, time4, tunnel4, dns6, tunnel6}

	offices4 = hosts("192.0.2.0", 11, 20)
	guests4  = hosts("10.20.0.0", 11, 16)
	offices6 = hosts("2001:db8:20::", 0x11, 0x16)
)

// route is who calls whom.
type route struct {
	from netip.Addr
	to   netip.AddrPort
}

// routes pairs each client with each server.
func routes(from []netip.Addr, to ...netip.AddrPort) []route {
	var list []route
	for _, t := range to {
		for _, f := range from {
			list = append(list, route{f, t})
		}
	}
	return list
}

// runTraffic makes connections of all kinds, about a hundred at a time, until the context
// ends. Together they are some megabytes a second, which costs a few percent of one processor.
func runTraffic(ctx context.Context, ipv6 bool) error {
	g, ctx := errgroup.WithContext(ctx)
	// All servers first: a client that came before would be refused.
	for _, address := range reachable(tcpServers, ipv6) {
		l, err := listenTCP(ctx, address)
		if err != nil {
			return err
		}
		g.Go(func() error { return serveTCP(ctx, l) })
	}
	for _, address := range reachable(udpServers, ipv6) {
		c, err := listenUDP(ctx, address)
		if err != nil {
			return err
		}
		g.Go(func() error { return echoUDP(ctx, c) })
	}
	start := time.Now()
	g.Go(func() error { return steadyTCP(ctx, start, ipv6) })
	g.Go(func() error { return briefTCP(ctx, ipv6) })
	g.Go(func() error { return steadyUDP(ctx, start, ipv6) })
	g.Go(func() error { return briefUDP(ctx, ipv6) })
	g.Go(func() error { return pings(ctx, start, ipv6) })
	if err := g.Wait(); err != nil {
		return fmt.Errorf("make traffic: %w", err)
	}
	return nil
}

// reachable leaves out what the namespace has no addresses for.
func reachable(list []netip.AddrPort, ipv6 bool) []netip.AddrPort {
	var some []netip.AddrPort
	for _, a := range list {
		if ipv6 || a.Addr().Is4() {
			some = append(some, a)
		}
	}
	return some
}

// reachableRoutes is reachable for routes.
func reachableRoutes(list []route, ipv6 bool) []route {
	var some []route
	for _, r := range list {
		if ipv6 || r.from.Is4() {
			some = append(some, r)
		}
	}
	return some
}

// pause waits, and says whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
