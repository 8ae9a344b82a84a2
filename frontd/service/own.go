// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// Carrier is the TCP connection that a call came in on, as frontd's socket has it. The zero
// Carrier is none: a Unix socket. Behind a proxy it is the proxy's connection to frontd; that
// of the client to the proxy is not known here and not guarded.
type Carrier struct {
	Remote, Local netip.AddrPort // the other end and this one; IPv4 mapped to IPv6 is IPv4
}

// KillOptions are what all ways to kill have in common.
type KillOptions struct {
	// Force kills the call's own connection too, see Carrier.
	Force bool
	// Watch is how long what was killed is looked for again, up to MaxWatch. Kill does not.
	Watch time.Duration
}

// spare keeps the call's own connection from being killed: who asked for it would never hear
// what became of the rest, and on a firewall that lets only known connections pass he may be
// locked out. It is not a matter of rights, and decides only what the answer says.
func (c *Call) spare(targets []found, o KillOptions) {
	if o.Force {
		return
	}
	for i, t := range targets {
		if t.fault == nil && c.Carrier.carries(t.target) {
			targets[i].fault = because(CodePermission, reason.OwnConnection.Of())
		}
	}
}

// carries says whether one of the target's directions is this connection, whichever way round.
// With NAT on the way only one of the two is: frontd's socket sees translated addresses of
// the client, or is itself the translated destination.
func (c Carrier) carries(t ipc.Target) bool {
	if t.Protocol != unix.IPPROTO_TCP || !c.Remote.IsValid() || !c.Local.IsValid() {
		return false
	}
	remote, local := unmapped(c.Remote), unmapped(c.Local)
	for _, d := range [2]ipc.Tuple{t.Orig, t.Reply} {
		src := unmapped(netip.AddrPortFrom(d.Src, d.SrcPort))
		dst := unmapped(netip.AddrPortFrom(d.Dst, d.DstPort))
		if src == remote && dst == local || src == local && dst == remote {
			return true
		}
	}
	return false
}

// unmapped also forgets the zone of a link-local address, which the kernel's table has none of.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// Carries is whether a key names this connection.
func (c Carrier) Carries(key string) bool {
	t, err := ident.DecodeKey(key)
	return err == nil && c.carries(t)
}
