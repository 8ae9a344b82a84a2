// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"mime"
	"net/http"

	"nuconntrack/frontd/site"
)

// gate finds what is wrong with a request before XML-RPC starts; status 0 is nothing. It
// keeps browsers out that another site sent: their scripts can neither set the content
// type nor hide where they come from, and a name that was rebound to this address is not
// an allowed host.
func (s *Server) gate(r *http.Request, from Origin) (status int, text string) {
	if !from.Local && !site.HostAllowed(r, s.cfg.HostAllowed) {
		return http.StatusMisdirectedRequest, "this host name is not allowed: use the address, or list the name under hosts"
	}
	if _, ok := dialectOf(r.URL.Path); !ok {
		return http.StatusNotFound, "XML-RPC is served at /RPC2"
	}
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, "XML-RPC is called by POST"
	}
	if !site.Same(r) {
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
