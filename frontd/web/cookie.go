// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"crypto/rand"
	"net/http"
	"net/netip"
	"strings"

	"nuconntrack/frontd/site"
)

// Cookies of the page. __Host- makes browsers refuse them unless they came over what the
// browser trusts, for this very host, so that no other host below the same name can plant one
// (RFC 6265bis, section 4.1.3.2).
const (
	cookieSession = "nuconntrack"
	cookieLogin   = "nuconntrack-login" // before there is a session, for the token of the login
	hostPrefix    = "__Host-"
)

// cookieName is what a cookie is called in this request. Browsers send the cookies of a host to
// all its ports: with tunnels to two firewalls on one's own machine, the sessions of both have to
// have different names.
func (r *request) cookieName(name string) string {
	if r.origin.Secure {
		name = hostPrefix + name
	}
	host := r.r.Host
	if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexByte(host, ']') {
		if port := host[at+1:]; port != "" && strings.Trim(port, "0123456789") == "" {
			name += "-" + port
		}
	}
	return name
}

// cookie gives the value of a cookie, "" without one or with two: one of the two is somebody
// else's.
func (r *request) cookie(name string) string {
	all := r.r.CookiesNamed(r.cookieName(name))
	if len(all) != 1 {
		return ""
	}
	return all[0].Value
}

// setCookie sets a cookie, or with "" takes it away. It ends with the browser at the latest.
func (r *request) setCookie(name, value string) {
	c := &http.Cookie{
		Name: r.cookieName(name), Value: value, Path: "/",
		HttpOnly: true, Secure: r.origin.Secure, SameSite: http.SameSiteStrictMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(r.w, c)
}

// loginCookie gives the cookie that the token of a login belongs to, and sets it where there is none.
func (r *request) loginCookie() string {
	if value := r.cookie(cookieLogin); value != "" {
		return value
	}
	value := rand.Text()
	r.setCookie(cookieLogin, value)
	return value
}

// Loopback reports whether the host that a browser was sent to is its own machine, which it
// trusts without TLS (Secure Contexts, section 3.1): it may be at the near end of a tunnel.
func Loopback(r *http.Request) bool {
	host := site.HostName(r.Host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
