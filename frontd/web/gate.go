// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/site"
	"nuconntrack/frontd/web/text"
)

// Limits of a form.
const (
	// guestForm is how much of a form is read from those who have no session, bytes.
	guestForm = 8 << 10
	// maxForm is how much of it from others: a thousand marked keys, and an address.
	maxForm = 256 << 10
)

// paramToken is the token in a form.
const paramToken = "token"

// contentPolicy is what a page may load and do: nothing but what comes from here. There is no
// script and no style in the pages themselves, so that text which became markup by a mistake of
// ours would still do nothing.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// protect sets the headers that every answer has. Referrers stay on this site, since an address
// may hold a filter; "no-referrer" would make browsers send forms with the Origin null.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}

// refusal is an answer that is no page: a status, and the key of a text.
type refusal struct {
	status int
	key    string
	args   []any  // of the text
	allow  string // with 405
}

func (e *refusal) Error() string { return e.key }

func refused(status int, key string, args ...any) error {
	return &refusal{status: status, key: key, args: args}
}

// gate finds what is wrong with a request before its session is looked at, and what it is for.
func (s *Server) gate(r *request) (route, error) {
	if !r.origin.Local && !site.HostAllowed(r.r, s.cfg.HostAllowed) {
		return route{}, refused(http.StatusMisdirectedRequest, "error.host")
	}
	all, ok := s.routes[r.r.URL.Path]
	if !ok {
		return route{}, refused(http.StatusNotFound, "error.path")
	}
	method := r.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var allow []string
	for _, found := range all {
		allow = append(allow, found.method)
		if found.method != method {
			continue
		}
		if method == http.MethodPost {
			return found, checkPost(r.r)
		}
		return found, nil
	}
	return route{}, &refusal{status: http.StatusMethodNotAllowed, key: "error.method", allow: strings.Join(allow, ", ")}
}

// checkPost refuses forms of other sites, and what is no form.
func checkPost(r *http.Request) error {
	if !site.Same(r) {
		return refused(http.StatusForbidden, "error.site")
	}
	types := r.Header.Values("Content-Type")
	if len(types) != 1 || len(r.Header.Values("Content-Encoding")) > 0 {
		return refused(http.StatusUnsupportedMediaType, "error.type")
	}
	if t, _, err := mime.ParseMediaType(types[0]); err != nil || t != "application/x-www-form-urlencoded" {
		return refused(http.StatusUnsupportedMediaType, "error.type")
	}
	if r.ContentLength > maxForm {
		return refused(http.StatusRequestEntityTooLarge, "error.long")
	}
	return nil
}

// gateAsset keeps assets from other hosts and methods; there is no secret in them.
func (s *Server) gateAsset(r *request) bool {
	return (r.r.Method == http.MethodGet || r.r.Method == http.MethodHead) &&
		(r.origin.Local || site.HostAllowed(r.r, s.cfg.HostAllowed))
}

// readForm reads what was posted: little where nobody is logged in.
func (s *Server) readForm(r *request) error {
	limit := int64(guestForm)
	if r.call != nil {
		limit = maxForm
	}
	body, err := io.ReadAll(io.LimitReader(r.r.Body, limit+1))
	if err != nil || int64(len(body)) > limit {
		// What is left of the body may never come.
		r.w.Header().Set("Connection", "close")
		if err != nil {
			return refused(http.StatusBadRequest, "error.form")
		}
		return refused(http.StatusRequestEntityTooLarge, "error.long")
	}
	if r.form, err = url.ParseQuery(string(body)); err != nil {
		return refused(http.StatusBadRequest, "error.form")
	}
	if chosen := chosenLanguage(r.form); chosen != "" {
		r.useLanguage(s, chosen)
	}
	return nil
}

// chosenLanguage is the language of an address or form, which may stand in the address that it
// comes back to.
func chosenLanguage(values url.Values) string {
	for _, param := range []string{paramBack, paramNext} {
		if _, kept := back(values.Get(param)); kept.Has(paramLanguage) && !values.Has(paramLanguage) {
			return kept.Get(paramLanguage)
		}
	}
	return values.Get(paramLanguage)
}

// useLanguage takes the language that was chosen, if there is such a one.
func (r *request) useLanguage(s *Server, chosen string) {
	r.lang = text.Choose(s.languages, chosen, r.r.Header.Get("Accept-Language"))
}

// A request that panics is a mistake of ours. It must cost the user his answer and nobody else
// anything, and be seen.

// caught is to be deferred where an answer can still be given: it makes a panic an error.
func (s *Server) caught(r *request, err *error) {
	if p := recover(); p != nil && p != http.ErrAbortHandler {
		s.crashed(r, p)
		*err = &service.Fault{Code: service.CodeInternal, Text: "internal error"}
	} else if p != nil {
		panic(p)
	}
}

// cut is to be deferred where part of an answer may have gone: it makes a panic the end of the
// connection.
func (s *Server) cut(r *request) {
	p := recover()
	if p == nil {
		return
	}
	if p != http.ErrAbortHandler {
		s.crashed(r, p)
	}
	panic(http.ErrAbortHandler)
}

func (s *Server) crashed(r *request, p any) {
	s.cfg.Log.Error("a page crashed", "request", r.caller.Request(), "panic", p, "stack", string(debug.Stack()))
}
