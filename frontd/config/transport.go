// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"nuconntrack/frontd/auth"
	"nuconntrack/policy/strict"
)

// parseTLS reads [tls].
func parseTLS(root strict.Table) *TLS {
	if !root.Has("tls") {
		return nil
	}
	t := root.Table("tls")
	t.Only(tlsKeys()...)
	c := &TLS{Cert: t.Text("cert"), Key: t.Text("key"), ClientCA: t.Text("client_ca"), MinVersion: tls.VersionTLS13}
	for _, key := range []string{"cert", "key"} {
		if !t.Has(key) {
			t.Fail("", "cert and key are needed, files in PEM: %s is missing", key)
		}
	}
	checkFile(t, "cert", c.Cert)
	checkSecretFile(t, "key", c.Key)
	checkFile(t, "client_ca", c.ClientCA)
	if t.Has("min_version") {
		switch v := t.Text("min_version"); v {
		case "1.3":
		case "1.2":
			c.MinVersion = tls.VersionTLS12
		default:
			t.Fail("min_version", "%s is neither \"1.3\" nor \"1.2\"", strict.Quote(v))
		}
	}
	return c
}

// What stands for proxies on Unix sockets in the list of proxies.
const (
	proxyUnix = "unix"
	proxyUID  = "uid:"
)

// parseProxy reads [proxy]. With another backend than BackendProxy it is there for the
// client's address only.
func parseProxy(root strict.Table, backend string) Proxy {
	t := root.Table("proxy")
	p := Proxy{ClientHeader: t.Text("client_header")}
	t.Only(proxyKeys()...)
	switch {
	case backend == BackendProxy:
		p.UserHeader = defaultUserHeader
		if t.Has("user_header") {
			p.UserHeader = t.Text("user_header")
			checkHeader(t, "user_header", p.UserHeader)
		}
	case t.Has("user_header"):
		t.Fail("user_header", "what a proxy says of the user counts with backend = \"proxy\" only")
	case root.Has("proxy") && !t.Has("client_header"):
		t.Fail("", "without backend = \"proxy\" the section is for client_header, which is missing")
	}
	if t.Has("client_header") {
		checkHeader(t, "client_header", p.ClientHeader)
		if http.CanonicalHeaderKey(p.ClientHeader) == http.CanonicalHeaderKey(p.UserHeader) {
			t.Fail("client_header", "the same header cannot have the user too")
		}
	}
	list := t.List("from")
	if !t.Has("from") && (root.Has("proxy") || backend == BackendProxy) {
		list = []any{proxyUnix}
	}
	if t.Has("from") && len(list) == 0 || len(list) > maxProxies {
		t.Fail("from", "want 1 to %d proxies", maxProxies)
		return p
	}
	for _, v := range list {
		parseFrom(t, v, &p.Trust)
	}
	return p
}

func parseFrom(t strict.Table, v any, trust *auth.Trust) {
	s, ok := v.(string)
	uid, isUID := strings.CutPrefix(s, proxyUID)
	switch {
	case !ok:
		t.Fail("from", "%s is not a string", strict.Show(v))
	case s == proxyUnix:
		trust.Unix = true
	case isUID:
		n, err := strconv.ParseUint(uid, 10, 32)
		if err != nil || n == auth.OverflowID || n == 1<<32-1 {
			t.Fail("from", "%s: not a uid, or one that stands for nobody", strict.Quote(s))
		}
		trust.UIDs = append(trust.UIDs, uint32(n))
	default:
		n, err := netip.ParsePrefix(s)
		if a, addrErr := netip.ParseAddr(s); addrErr == nil {
			n, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
			ok = a.Zone() == ""
		}
		switch {
		case err != nil || !ok || n.Addr().Is4In6():
			t.Fail("from", "%s is not an IP address, a network such as \"192.0.2.0/24\", \"unix\" or \"uid:33\"", strict.Quote(s))
		case n.Bits() == 0:
			t.Fail("from", "%s: everybody would be believed", strict.Quote(s))
		}
		trust.Networks = append(trust.Networks, n.Masked())
	}
}

func checkHeader(t strict.Table, key, name string) {
	switch canonical := http.CanonicalHeaderKey(name); {
	case name == "" || len(name) > maxHeader || !only(name, "-"):
		t.Fail(key, "%s is not the name of a header: letters, digits and -", strict.Quote(name))
	case canonical == "Host" || canonical == "Content-Type" || canonical == "Content-Length" || canonical == "Connection":
		t.Fail(key, "%s has another meaning", strict.Quote(name))
	}
}
