// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// gate finds what is wrong with a request before XML-RPC starts; status 0 is nothing. It
// keeps browsers out that another site sent: their scripts can neither set the content
// type nor hide where they come from, and a name that was rebound to this address is not
// an allowed host.
func (s *Server) gate(r *http.Request, from Origin) (status int, text string) {
	if !from.Local && !s.hostAllowed(r) {
		return http.StatusMisdirectedRequest, "this host name is not allowed: use the address, or list the name under hosts"
	}
	if _, ok := dialectOf(r.URL.Path); !ok {
		return http.StatusNotFound, "XML-RPC is served at /RPC2"
	}
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, "XML-RPC is called by POST"
	}
	if !sameSite(r) {
		return http.StatusForbidden, "requests from pages of other sites are refused"
	}
	if types := r.Header.Values("Content-Type"); len(types) != 1 || !xmlType(types[0]) {
		return http.StatusUnsupportedMediaType, "the content type must be text/xml"
	}
	if len(r.Header.Values("Content-Encoding")) > 0 {
		return http.StatusUnsupportedMediaType, "encoded content is not read"
	}
	if r.ContentLength == 0 && r.Header.Get("Content-Length") == "" && len(r.TransferEncoding) == 0 {
		return http.StatusLengthRequired, "the length of the content is missing"
	}
	if r.ContentLength > s.cfg.MaxBody {
		return http.StatusRequestEntityTooLarge, "the content is too long"
	}
	return 0, ""
}

// hostAllowed looks at the Host header. One that is missing, as in HTTP/1.0, passes: no
// browser leaves it out.
func (s *Server) hostAllowed(r *http.Request) bool {
	if r.Host == "" {
		return !r.ProtoAtLeast(1, 1)
	}
	host := lowerHost(r.Host)
	if host == "localhost" || s.cfg.HostAllowed(host) {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// sameSite refuses what a browser sent for a page of another site. Clients that are no
// browsers send neither header.
func sameSite(r *http.Request) bool {
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

func xmlType(header string) bool {
	t, _, err := mime.ParseMediaType(header)
	if err != nil && t == "" {
		return false
	}
	return t == "text/xml" || t == "application/xml"
}

// charsetOf is the charset that the content type declares, if it does.
func charsetOf(header string) string {
	_, params, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return params["charset"]
}
