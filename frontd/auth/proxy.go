// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"net/http"
	"net/netip"

	"nuconntrack/frontd/auth/passwd"
)

// A Trust says which proxies are believed. The zero value believes none.
type Trust struct {
	// Networks are the addresses of proxies.
	Networks []netip.Prefix
	// Unix believes whoever may open a Unix socket of ours, UIDs only these users.
	Unix bool
	UIDs []uint32
}

// Covers reports whether what sent the request is believed.
func (t Trust) Covers(req Request) bool {
	if req.Unix {
		if t.Unix {
			return true
		}
		for _, uid := range t.UIDs {
			if req.Peer != nil && req.Peer.UID == uid {
				return true
			}
		}
		return false
	}
	sender := req.Client
	if req.Proxy.IsValid() {
		sender = req.Proxy
	}
	sender = sender.Unmap().WithZone("")
	for _, n := range t.Networks {
		if n.Contains(sender) {
			return true
		}
	}
	return false
}

// ProxyConfig configures a Proxy.
type ProxyConfig struct {
	Trust Trust
	// Header is the name of the header with the user's name.
	Header string
}

// Proxy believes certain proxies that have logged the user in, and says who he is in a header.
// The arguments of the login do not count. From everybody else the header is worth nothing.
type Proxy struct {
	trust  Trust
	header string
}

var _ Backend = (*Proxy)(nil)

// NewProxy returns a backend.
func NewProxy(cfg ProxyConfig) *Proxy {
	return &Proxy{trust: cfg.Trust, header: http.CanonicalHeaderKey(cfg.Header)}
}

// Login takes any arguments. A header that comes twice is refused: one of the two may be the
// client's own, which the proxy forgot to take away.
func (p *Proxy) Login(_ context.Context, req Request) (Identity, error) {
	names := req.Header.Values(p.header)
	switch {
	case !p.trust.Covers(req):
		return Identity{}, denied("not from a proxy that is listed")
	case len(names) == 0 || len(names) == 1 && names[0] == "":
		return Identity{}, denied("the proxy sent no user in " + p.header)
	case len(names) > 1:
		return Identity{}, denied("the header " + p.header + " came more than once")
	}
	if err := passwd.CheckName(names[0]); err != nil {
		return Identity{}, denied("the proxy's " + err.Error())
	}
	return Identity{User: names[0]}, nil
}
