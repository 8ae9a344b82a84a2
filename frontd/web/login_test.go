// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/service"
)

func TestLogin(t *testing.T) {
	d := start(t)
	b := d.browser()
	b.get("/").want(t, 303)
	if to := b.get("/").Header.Get("Location"); to != pathLogin {
		t.Errorf("without a session / leads to %s", to)
	}
	b.enter("ann", "wrong").want(t, 403, "wrong, or you have no role", `value="ann"`, "!secret")
	b.enter("ann", "secret").want(t, 303)
	b.get("/").want(t, 200, "ann", "(role admin)", "Log out")
}

// TestLoginComesBack: to where one was, and never elsewhere.
func TestLoginComesBack(t *testing.T) {
	for next, want := range map[string]string{
		"/?expr=proto+tcp&sort=state":   "/?expr=proto+tcp&sort=state",
		"/web/talkers?by=proto":         "/web/talkers?by=proto",
		"/web/connection?key=k1":        "/web/connection?key=k1",
		"":                              "/",
		"//evil.example":                "/",
		"///evil.example":               "/",
		"/\\evil.example":               "/",
		"\\\\evil.example":              "/",
		"/%2f/evil.example":             "/",
		"https://evil.example/":         "/",
		"https:/":                       "/",
		"javascript:alert(1)":           "/",
		"//localhost@evil.example/":     "/",
		"/web/../../evil":               "/",
		"/web/logout":                   "/",
		"/web/kill/now?key=x":           "/",
		"/RPC2":                         "/",
		"/?x=1\r\nSet-Cookie: a=b":      "/",
		"?expr=x":                       "/",
		"/?" + strings.Repeat("x", 2e4): "/",
	} {
		d := start(t)
		b := d.browser()
		token := b.get(pathLogin + "?" + url.Values{"next": {next}}.Encode()).hidden("token")
		res := b.post(pathLogin, url.Values{"token": {token}, "user": {"ann"}, "password": {"secret"}, "next": {next}})
		if len(next) > guestForm {
			res.want(t, 413)
			continue
		}
		if got := res.want(t, 303).Header.Get("Location"); got != want {
			t.Errorf("%.60q leads to %q, want %q", next, got, want)
		}
	}
}

// TestLoginForm: a form of another site cannot log anybody in, as whoever it is.
func TestLoginForm(t *testing.T) {
	d := start(t)
	b := d.browser()
	token := b.get(pathLogin).hidden("token")
	form := func(token string) url.Values {
		return url.Values{"token": {token}, "user": {"ann"}, "password": {"secret"}}
	}
	for name, test := range map[string]func(*browser) reply{
		"no token":              func(b *browser) reply { return b.post(pathLogin, form("")) },
		"somebody else's token": func(b *browser) reply { return b.post(pathLogin, form(d.browser().get(pathLogin).hidden("token"))) },
		"no cookie with it":     func(b *browser) reply { clear(b.cookies); return b.post(pathLogin, form(token)) },
		"from elsewhere": func(b *browser) reply {
			b.headers["Sec-Fetch-Site"] = "cross-site"
			return b.post(pathLogin, form(token))
		},
		"the name in an address": func(b *browser) reply { return b.get(pathLogin + "?" + form(token).Encode()) },
	} {
		own := d.browser()
		for name, value := range b.cookies {
			own.cookies[name] = value
		}
		if res := test(own); res.StatusCode == http.StatusSeeOther {
			t.Errorf("%s: logged in", name)
		}
		for cookie := range own.cookies {
			if !strings.Contains(cookie, cookieLogin) {
				t.Errorf("%s: the cookie %s is set", name, cookie)
			}
		}
	}
	b.post(pathLogin, form(token)).want(t, 303)
}

// TestBrowserWithoutCookies is told why it cannot log in, and does not go round in a circle: those
// with WebKit take none that are Secure over plain HTTP.
func TestBrowserWithoutCookies(t *testing.T) {
	const webkit, none, old = "Safari", "Your browser sent no cookie", "The form was too old"
	for name, test := range map[string]struct {
		base string
		kept bool // the cookie, with the token of another
		want []string
	}{
		"its own machine":       {"http://localhost:8580", false, []string{none, webkit, "https"}},
		"loopback":              {"http://127.0.0.1:8580", false, []string{none, webkit, "https"}},
		"TLS":                   {"https://localhost:8580", false, []string{none, "!" + webkit}},
		"plain, from elsewhere": {"http://192.0.2.254", false, []string{none, "!" + webkit}},
		"an old form":           {"http://localhost:8580", true, []string{old, "!" + none}},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			b := d.browser()
			b.base = test.base
			token := b.get(pathLogin).hidden("token")
			if test.kept {
				token = d.browser().get(pathLogin).hidden("token")
			} else {
				clear(b.cookies)
			}
			res := b.post(pathLogin, url.Values{"token": {token}, "user": {"ann"}, "password": {"secret"}, "next": {"/?proto=udp"}})
			res.want(t, 403, append(test.want, `value="ann"`, `value="/?proto=udp"`, "!secret")...)
		})
	}
}

// TestNewSessionAtLogin: the id from before is worth nothing afterwards.
func TestNewSessionAtLogin(t *testing.T) {
	d := start(t)
	b := d.login("admin")
	before := b.cookies["__Host-nuconntrack-8580"]
	b.enter("ann", "secret").want(t, 303)
	if after := b.cookies["__Host-nuconntrack-8580"]; after == before || after == "" {
		t.Errorf("the session stays %q", after)
	}
	old := d.browser()
	old.cookies["__Host-nuconntrack-8580"] = before
	old.get("/").want(t, 303)
}

// TestSessionsOfThePage are none for XML-RPC, and the other way round.
func TestSessionsOfThePage(t *testing.T) {
	d := start(t)
	b := d.login("admin")
	if _, err := d.service.Begin(b.cookies["__Host-nuconntrack-8580"], service.Caller{}); err == nil {
		t.Error("a cookie is good for XML-RPC")
	}
	id, err := d.service.Login(t.Context(), auth.Request{Args: []any{"ann", "secret"}}, service.Caller{})
	if err != nil {
		t.Fatal(err)
	}
	other := d.browser()
	other.cookies["__Host-nuconntrack-8580"] = id
	other.get("/").want(t, 303)
	b.get("/").want(t, 200)
}

func TestLogout(t *testing.T) {
	d := start(t)
	b := d.login("admin")
	stolen := b.cookies["__Host-nuconntrack-8580"]
	b.post(pathLogout, url.Values{}).want(t, 403)
	b.get("/").want(t, 200)
	b.post(pathLogout, b.with("back", "/?lang=fr")).want(t, 303)
	if len(b.cookies) != 0 {
		t.Errorf("cookies %v", b.cookies)
	}
	thief := d.browser()
	thief.cookies["__Host-nuconntrack-8580"] = stolen
	thief.get("/").want(t, 303)
}

// TestSessionEnds after its own time, not that of XML-RPC, and it is told.
func TestSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t)
		b := d.login("admin")
		time.Sleep(14 * time.Minute)
		b.get("/").want(t, 200)
		time.Sleep(14 * time.Minute)
		token := b.token()
		time.Sleep(16 * time.Minute)
		res := b.post(pathKillNow, url.Values{"token": {token}, "back": {"/?proto=udp"}}).want(t, 303)
		to := res.Header.Get("Location")
		if to != pathLogin+"?ended=1&next=%2F%3Fproto%3Dudp" {
			t.Errorf("an ended session leads to %s", to)
		}
		if len(b.cookies) != 0 {
			t.Errorf("cookies %v", b.cookies)
		}
		b.get(to).want(t, 200, "Your session has ended", `value="/?proto=udp"`)
		// The script's refresh may have lost the cookie before the form is sent.
		if again := b.post(pathKillNow, url.Values{"token": {token}, "back": {"/?proto=udp"}}).Header.Get("Location"); again != to {
			t.Errorf("without its cookie it leads to %s", again)
		}
	})
}

// TestSessionEndsUnderALongForm: that it has ended is what is told, not that the form is longer than
// what is read for guests.
func TestSessionEndsUnderALongForm(t *testing.T) {
	d := start(t)
	b := d.login("operator")
	form := b.with("marked", "1")
	for range 1000 {
		form.Add("key", strings.Repeat("k", 100))
	}
	b.post(pathKill, form).want(t, 400, "no connection’s key")
	d.service.Logout(b.cookies["__Host-nuconntrack-8580"])
	if to := b.post(pathKill, form).want(t, 303).Header.Get("Location"); to != pathLogin+"?ended=1" {
		t.Errorf("it leads to %s", to)
	}
}

// TestUnattendedRefresh: a table that refreshes itself before nobody does not keep the session, and
// what somebody does keeps it.
func TestUnattendedRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t)
		b := d.login("admin")
		refresh := func() int {
			time.Sleep(time.Minute)
			b.headers[headerUnattended] = "1"
			defer delete(b.headers, headerUnattended)
			return b.get("/").StatusCode
		}
		for range 14 {
			if status := refresh(); status != 200 {
				t.Fatalf("refreshed: %d", status)
			}
		}
		b.get("/").want(t, 200)
		for range 14 {
			if status := refresh(); status != 200 {
				t.Fatalf("refreshed after a click: %d", status)
			}
		}
		if status := refresh(); status != 303 {
			t.Errorf("after 15 minutes without anybody: %d", status)
		}
		if !strings.Contains(string(d.script()), headerUnattended) {
			t.Error("the script does not say it")
		}
	})
}

// TestLinkFromElsewhere: browsers send no SameSite=Strict cookie where a link on another site is
// followed. The page asks itself again.
func TestLinkFromElsewhere(t *testing.T) {
	d := start(t)
	b := d.browser()
	b.headers["Sec-Fetch-Site"] = "cross-site"
	b.get("/?expr=proto+tcp").want(t, 200, `http-equiv="refresh" content="0"`, `href="/?expr=proto&#43;tcp"`)
	b.headers["Sec-Fetch-Site"] = "same-origin"
	b.get("/?expr=proto+tcp").want(t, 303)
}

func TestLoginIsBusy(t *testing.T) {
	d := start(t)
	d.backend = func(auth.Request) (auth.Identity, error) {
		return auth.Identity{}, &auth.BusyError{Retry: 7, Failed: true}
	}
	b := d.browser()
	res := b.enter("ann", "secret").want(t, 429, "Try again in 7 seconds.")
	if res.Header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
	}
	b.headers["Accept-Language"] = "fr"
	d.backend = func(auth.Request) (auth.Identity, error) { return auth.Identity{}, &auth.BusyError{Retry: 1} }
	b.enter("ann", "secret").want(t, 429, "Réessayez dans 1 seconde.")
}

// TestLoginWithoutPassword: where the connection says who one is, there is a button.
func TestLoginWithoutPassword(t *testing.T) {
	d := start(t, func(c *Config, _ *service.Config) { c.Passwords = false })
	var asked auth.Request
	d.backend = func(r auth.Request) (auth.Identity, error) {
		asked = r
		return auth.Identity{User: r.Header.Get("X-Remote-User")}, nil
	}
	b := d.browser()
	page := b.get(pathLogin).want(t, 200, "No password is needed", "!type=\"password\"")
	b.headers["X-Remote-User"] = "eve"
	b.post(pathLogin, url.Values{"token": {page.hidden("token")}, "user": {"root"}, "password": {"x"}}).want(t, 303)
	if len(asked.Args) != 0 {
		t.Errorf("asked with %v", asked.Args)
	}
	b.get("/").want(t, 200, "eve", "!root")
}

// TestLocalUsersMayLeaveTheFormEmpty on the socket of this machine, and nobody elsewhere.
func TestLocalUsersMayLeaveTheFormEmpty(t *testing.T) {
	d := start(t, func(c *Config, _ *service.Config) {
		c.LocalUsers = true
		origin := c.Origin
		c.Origin = func(r *http.Request) Origin {
			o := origin(r)
			o.Local = r.Header.Get("X-Unix") != ""
			return o
		}
	})
	b := d.browser()
	b.get(pathLogin).want(t, 200, " required")
	b.headers["X-Unix"] = "1"
	b.get(pathLogin).want(t, 200, "! required", "both may be left empty")
	// Any Host does there.
	r := httptest.NewRequest(http.MethodGet, "http://whatever/web/login", nil)
	b.do(r).want(t, 200)
}

// TestHostileUserName: a name is text, whatever it looks like.
func TestHostileUserName(t *testing.T) {
	hostile := "<script>alert(1)</script>\"'&\u202e\x1b[31m"
	d := start(t)
	d.backend = func(auth.Request) (auth.Identity, error) { return auth.Identity{User: hostile}, nil }
	b := d.login("admin")
	b.get("/").want(t, 200, "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;??[31m", "!<script>alert", "!\u202e", "!\x1b")
	d.backend = func(auth.Request) (auth.Identity, error) { return auth.Identity{}, auth.ErrDenied }
	d.browser().enter(hostile, "x").want(t, 403, "&lt;script&gt;", "!<script>alert", "!\u202e", "!\x1b")
}
