// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/config"
	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/rpc"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/web"
)

// origin tells where a request comes from: as the kernel has it, and as a proxy says that is
// believed.
func origin(set *config.Config, r *http.Request) rpc.Origin {
	client, _ := listen.From(r.Context())
	o := rpc.Origin{Text: client.String(), Local: client.Unix}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		o.Carrier = service.Carrier{Remote: client.Addr, Local: local.AddrPort()}
	}
	if client.Addr.IsValid() {
		o.Text, o.Addr = client.Addr.String(), client.Addr.Addr()
	}
	if o.Addr == (netip.Addr{}) && !client.Unix {
		o.Text = "unknown"
	}
	proxy := o.Addr
	behind, proxied := clientOf(set, r, client)
	if proxied {
		o.Text, o.Addr = behind.String()+" via "+o.Text, behind
	}
	o.Login = func() auth.Request {
		req := auth.Request{Client: o.Addr, Unix: client.Unix, Peer: peerOf(r, client), Header: r.Header}
		if proxied {
			req.Proxy = proxy
		}
		if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
			req.Certificate = r.TLS.PeerCertificates[0]
		}
		return req
	}
	return o
}

// protoHeader is how a proxy says what its client speaks: "https" or "http".
const protoHeader = "X-Forwarded-Proto"

// pageOrigin is origin for the page, which has to know whether the browser trusts the way.
func pageOrigin(set *config.Config, r *http.Request) web.Origin {
	from := origin(set, r)
	o := web.Origin{Text: from.Text, Local: from.Local, Carrier: from.Carrier, Login: from.Login}
	client, _ := listen.From(r.Context())
	o.Secure = secure(set, r, client)
	return o
}

// secure says whether the browser trusts the way to the page: over TLS, as a proxy that is believed
// says, or because it is on its own machine.
func secure(set *config.Config, r *http.Request, client listen.Client) bool {
	proto := r.Header.Values(protoHeader)
	switch {
	case r.TLS != nil:
		return true
	case len(proto) > 0 && believed(set, client):
		// The last one, since those before it may be what the client itself had sent.
		last := proto[len(proto)-1]
		return strings.EqualFold(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]), "https")
	}
	return web.Loopback(r)
}

// believed says whether a client is a proxy that is believed.
func believed(set *config.Config, client listen.Client) bool {
	sender := auth.Request{Client: client.Addr.Addr(), Unix: client.Unix}
	if client.PeerKnown {
		sender.Peer = &auth.Peer{UID: client.Peer.UID}
	}
	return set.Proxy.Trust.Covers(sender)
}

func peerOf(r *http.Request, client listen.Client) *auth.Peer {
	if !client.PeerKnown {
		return nil
	}
	return &auth.Peer{UID: client.Peer.UID, Groups: append(listen.PeerGroups(r.Context()), client.Peer.GID)}
}

// clientOf returns the address of the client behind a proxy that is believed: the last one of
// the header, since those before it may be what the client itself had sent.
func clientOf(set *config.Config, r *http.Request, proxy listen.Client) (netip.Addr, bool) {
	header := set.Proxy.ClientHeader
	if header == "" {
		return netip.Addr{}, false
	}
	values := r.Header.Values(header)
	if len(values) == 0 || !believed(set, proxy) {
		return netip.Addr{}, false
	}
	last := values[len(values)-1]
	last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	addr, err := netip.ParseAddr(strings.Trim(last, "[]"))
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}
