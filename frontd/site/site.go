// SPDX-License-Identifier: GPL-2.0-or-later

// Package site says whether an HTTP request may come from where a browser says that it comes
// from. It keeps out what pages of other sites make browsers send, and names that somebody has
// rebound to an address of ours. It looks at headers only, which clients that are no browsers
// write as they like: it never says who anybody is.
package site

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// HostAllowed looks at the Host header. It may be an IP address, localhost, or a name that
// listed accepts, which gets it in lower case and without port. One that is missing, as in
// HTTP/1.0, passes: no browser leaves it out.
func HostAllowed(r *http.Request, listed func(name string) bool) bool {
	if r.Host == "" {
		return !r.ProtoAtLeast(1, 1)
	}
	host := HostName(r.Host)
	if host == "localhost" || listed(host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Same refuses what a browser sent for a page of another site. Clients that are no browsers
// send neither header.
func Same(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" {
			return false
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	return true
}

// HostName is a Host header in lower case, without its port and brackets.
func HostName(host string) string {
	host = strings.ToLower(host)
	if strings.HasPrefix(host, "[") {
		inside, rest, ok := strings.Cut(host[1:], "]")
		if ok && (rest == "" || isPort(rest)) {
			return inside
		}
		return host
	}
	name, rest, found := strings.Cut(host, ":")
	if found && !isPort(":"+rest) {
		return host
	}
	return strings.TrimSuffix(name, ".")
}

// isPort reports whether s is a colon and digits.
func isPort(s string) bool {
	return len(s) > 0 && s[0] == ':' && strings.Trim(s[1:], "0123456789") == ""
}
