// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/http"
	"net/url"
	"strings"

	"nuconntrack/frontd/service"
)

// loginData is what the page of the login shows.
type loginData struct {
	Passwords bool
	Optional  bool // name and password may be left out
	User      string
	Token     string
	Next      string
	Failure   *failure
	Ended     bool // there was a session
}

// paramNext is where to go after the login.
const paramNext = "next"

// toLogin sends somebody without a session to the login, to come back afterwards.
//
// Cookies that are SameSite=Strict are not sent when a link on another site is followed, as in a
// colleague's mail: so who comes from there is first sent to the same address by a page of ours.
func (s *Server) toLogin(r *request) error {
	here := backTo(r.r.URL.RequestURI())
	if r.r.Method == http.MethodPost {
		here = backTo(r.form.Get(paramBack))
	}
	from := r.r.Header.Get("Sec-Fetch-Site")
	if r.r.Method == http.MethodGet && (from == "cross-site" || from == "same-site") {
		return s.show(r, http.StatusOK, "again", r.lang.Text("again.title"), here, here)
	}
	values := url.Values{}
	if here != pathTable {
		values.Set(paramNext, here)
	}
	cookies := len(r.r.CookiesNamed(r.cookieName(cookieSession)))
	if cookies > 0 {
		r.setCookie(cookieSession, "")
	}
	// A form was there in a session, whose cookie an answer before this one may have taken away.
	if cookies > 0 || r.r.Method == http.MethodPost {
		values.Set("ended", "1")
	}
	to := pathLogin
	if len(values) > 0 {
		to += "?" + values.Encode()
	}
	return r.redirect(to)
}

func (s *Server) showLogin(r *request) error {
	values := r.r.URL.Query()
	path, next := back(values.Get(paramNext))
	if chosen := values.Get(paramLanguage); chosen != "" {
		next.Set(paramLanguage, chosen) // which holds after the login too
	}
	return s.loginPage(r, http.StatusOK, loginData{Next: join(path, next), Ended: values.Has("ended")})
}

func (s *Server) loginPage(r *request, status int, d loginData) error {
	d.Passwords, d.Optional = s.cfg.Passwords, s.cfg.LocalUsers && r.origin.Local
	d.Token = s.signer.token(forLogin, r.loginCookie())
	return s.show(r, status, "login", r.lang.Text("login.title"), d.Next, d)
}

// login begins a session, always a new one: what an attacker may have planted in the browser
// before is worth nothing afterwards.
func (s *Server) login(r *request) error {
	next := backTo(r.form.Get(paramNext))
	user := r.form.Get("user")
	if !s.signer.good(forLogin, r.cookie(cookieLogin), r.form.Get(paramToken)) {
		return s.loginPage(r, http.StatusForbidden, loginData{
			Next: next, User: clean(user), Failure: &failure{Text: r.whyNoLogin()},
		})
	}
	s.cfg.Read(r.r)
	req := r.origin.Login()
	if s.cfg.Passwords {
		req.Args = []any{user, r.form.Get("password")}
	}
	id, err := s.cfg.Service.Login(r.r.Context(), req, r.caller)
	if err != nil {
		fault, ok := service.AsFault(err)
		if !ok {
			return err
		}
		status, why := s.explain(r, fault)
		// Else he who does not read his answers could keep them waiting by logins that fail.
		r.w.Header().Set("Connection", "close")
		return s.loginPage(r, status, loginData{Next: next, User: clean(user), Failure: &why})
	}
	if r.id != "" {
		s.cfg.Service.Logout(r.id)
	}
	r.setCookie(cookieSession, id)
	r.setCookie(cookieLogin, "")
	return r.redirect(next)
}

// whyNoLogin says why the token of a login was not good. Browsers with WebKit take no Secure cookie
// over plain HTTP, not even from their own machine: their users would else try again for ever.
func (r *request) whyNoLogin() string {
	switch {
	case len(r.r.CookiesNamed(r.cookieName(cookieLogin))) > 0:
		return r.lang.Text("login.token")
	case r.origin.Secure && strings.HasPrefix(r.r.Header.Get("Origin"), "http://"):
		return r.lang.Text("login.cookie.plain")
	}
	return r.lang.Text("login.cookie")
}

func (s *Server) logout(r *request) error {
	s.cfg.Service.Logout(r.id)
	r.setCookie(cookieSession, "")
	to := pathLogin
	if _, values := back(r.form.Get(paramBack)); values.Has(paramLanguage) {
		to += "?" + url.Values{paramLanguage: values[paramLanguage][:1]}.Encode()
	}
	return r.redirect(to)
}
