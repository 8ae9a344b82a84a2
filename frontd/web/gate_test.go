// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table/ident"
)

// TestHeadersOnEveryAnswer: whatever is answered, no browser may frame it, load anything from
// elsewhere for it, take it for something else, or keep it.
func TestHeadersOnEveryAnswer(t *testing.T) {
	d := start(t)
	d.fill()
	in, out := d.login("admin"), d.browser()
	get := func(b *browser, address string) func() reply { return func() reply { return b.get(address) } }
	answers := map[string]func() reply{
		"table":         get(in, "/"),
		"wrong filter":  get(in, "/?expr=nonsense"),
		"talkers":       get(in, pathTalkers),
		"not found":     get(in, "/web/nothing"),
		"wrong method":  get(in, pathKill),
		"no such key":   get(in, pathConnection+"?key=kxx"),
		"login":         get(out, pathLogin),
		"not logged in": get(out, "/"),
		"no token":      func() reply { return in.post(pathKill, url.Values{}) },
		"kill":          func() reply { return in.post(pathKill, in.with("all", "1", "snapshot", "x", "back", "/")) },
		"wrong host": func() reply {
			r := httptest.NewRequest(http.MethodGet, "http://evil.example/", nil)
			return in.do(r)
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			h := answer().Header
			csp := h.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
				if !strings.Contains(csp, part) {
					t.Errorf("Content-Security-Policy %q lacks %s", csp, part)
				}
			}
			if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
				t.Errorf("Content-Security-Policy %q", csp)
			}
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
				"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestNothingInline: the policy would keep inline script and style from working, so there is none.
func TestNothingInline(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	b := d.login("admin")
	key := ident.EncodeKey(https.Target)
	for name, page := range map[string]reply{
		"table": b.get("/"), "again": b.get("/"), "talkers": b.get(pathTalkers), "connection": b.get(pathConnection + "?key=" + key),
		"kill": b.post(pathKill, b.with("one", key)), "change": b.post(pathChange, b.with("key", key, "field", "timeout", "value", "60")),
		"login": d.browser().get(pathLogin),
	} {
		page.want(t, http.StatusOK)
		for _, bad := range []string{"<style", " style=", "javascript:", " onclick", " onload", "<script>", "http://", "https://"} {
			if strings.Contains(page.body, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
		if strings.Contains(page.body, "ZgotmplZ") || strings.Contains(page.body, "%!") {
			t.Errorf("%s: a template went wrong: %s", name, page.body)
		}
	}
}

func TestHosts(t *testing.T) {
	d := start(t)
	for host, want := range map[string]int{
		"localhost:8580": 200, "127.0.0.1:8580": 200, "[::1]:8580": 200, "firewall.example": 200,
		"evil.example": 421, "firewall.example.evil.example": 421, "127.0.0.1.evil.example:8580": 421,
	} {
		for _, path := range []string{pathLogin, d.server.assetPath("page.css")} {
			r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
			r.Host = host
			if got := d.browser().do(r).StatusCode; got != want {
				t.Errorf("%s%s: %d, want %d", host, path, got, want)
			}
		}
	}
}

// TestPostsAreRefused: what a page of another site can make a browser send does nothing.
func TestPostsAreRefused(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	b, other := d.login("admin"), d.login("admin")
	form := b.with("key", ident.EncodeKey(https.Target))
	change := func(f func(url.Values)) string {
		c := maps.Clone(form)
		f(c)
		return c.Encode()
	}
	tests := map[string]struct {
		body   string
		header http.Header
		status int
	}{
		"another site's Origin":        {form.Encode(), http.Header{"Origin": {"https://evil.example"}}, 403},
		"a null Origin":                {form.Encode(), http.Header{"Origin": {"null"}}, 403},
		"another port's Origin":        {form.Encode(), http.Header{"Origin": {"http://localhost:9999"}}, 403},
		"cross-site":                   {form.Encode(), http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"same-site, but another host":  {form.Encode(), http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"no token":                     {change(func(f url.Values) { delete(f, "token") }), nil, 403},
		"an empty token":               {change(func(f url.Values) { f.Set("token", "") }), nil, 403},
		"another session's token":      {change(func(f url.Values) { f.Set("token", other.token()) }), nil, 403},
		"a token cut short":            {change(func(f url.Values) { f.Set("token", f.Get("token")[1:]) }), nil, 403},
		"a login's token":              {change(func(f url.Values) { f.Set("token", d.browser().get(pathLogin).hidden("token")) }), nil, 403},
		"plain text":                   {form.Encode(), http.Header{"Content-Type": {"text/plain"}}, 415},
		"multipart":                    {form.Encode(), http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, 415},
		"JSON":                         {`{"key": "x"}`, http.Header{"Content-Type": {"application/json"}}, 415},
		"two types":                    {form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded", "text/plain"}}, 415},
		"no type":                      {form.Encode(), http.Header{"Content-Type": nil}, 415},
		"compressed":                   {form.Encode(), http.Header{"Content-Encoding": {"gzip"}}, 415},
		"too long":                     {form.Encode() + "&x=" + strings.Repeat("x", maxForm), nil, 413},
		"broken escapes":               {form.Encode() + "&x=%zz", nil, 400},
		"semicolons between the pairs": {strings.ReplaceAll(form.Encode(), "&", ";"), nil, 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, b.base+pathKillNow, strings.NewReader(test.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			maps.Copy(r.Header, test.header)
			b.do(r).want(t, test.status)
			if n := len(d.helper.Asked()); n != 0 {
				t.Fatalf("the helper was asked %d times", n)
			}
		})
	}
	// The same without anything wrong does it.
	b.post(pathKillNow, form).want(t, 200)
	d.wantLeft(t, 2, 3)
}

// TestGuestsGetLittleRead: who has no session sends a login and nothing longer.
func TestGuestsGetLittleRead(t *testing.T) {
	d := start(t)
	b := d.browser()
	token := b.get(pathLogin).hidden("token")
	long := url.Values{"token": {token}, "user": {"ann"}, "password": {strings.Repeat("x", guestForm)}}
	if res := b.post(pathLogin, long).want(t, 413); res.Header.Get("Connection") != "close" {
		t.Error("the connection stays open, though its body was not read")
	}
}

// slow is a client's connection that knows its deadline.
type slow struct {
	*httptest.ResponseRecorder
	deadline, wrote time.Time
	left            time.Duration // when it wrote
	hurried         bool          // it had to send within a time
}

func (w *slow) SetReadDeadline(time.Time) error {
	w.hurried = true
	return nil
}

func (w *slow) SetWriteDeadline(d time.Time) error {
	w.deadline = d
	return nil
}

func (w *slow) Write(b []byte) (int, error) {
	w.wrote, w.left = time.Now(), time.Until(w.deadline)
	return w.ResponseRecorder.Write(b)
}

// TestTimeToReadTheAnswer begins when there is one, however long what was asked for took.
func TestTimeToReadTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, func(c *Config, _ *service.Config) { c.WriteTimeout = time.Second })
		https, _, _ := d.fill()
		b := d.login("operator")
		form := b.with("one", ident.EncodeKey(https.Target), "watch", "1").Encode()
		r := httptest.NewRequest(http.MethodPost, b.base+pathKillNow, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		began := time.Now()
		w := &slow{ResponseRecorder: httptest.NewRecorder()}
		d.server.ServeHTTP(w, r)
		if w.Code != 200 || w.wrote.Sub(began) < watchTime {
			t.Fatalf("%d after %v", w.Code, w.wrote.Sub(began))
		}
		if w.left != time.Second || !w.hurried {
			t.Errorf("%v are left to read it, and to send the form was hurried: %v", w.left, w.hurried)
		}
		// net/http takes a client that sends nothing within the time for one that has left.
		w = &slow{ResponseRecorder: httptest.NewRecorder()}
		if d.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, b.base+pathLogin, nil)); w.hurried {
			t.Error("who has nothing to send has to within a time")
		}
	})
}

func TestMethodsAndPaths(t *testing.T) {
	d := start(t)
	b := d.login("admin")
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/web/kill", 405, "POST"},
		{"GET", "/web/kill/now", 405, "POST"},
		{"GET", "/web/logout", 405, "POST"},
		{"PUT", "/web/login", 405, "GET, POST"},
		{"DELETE", "/web/connection", 405, "GET"},
		{"GET", "/web/", 404, ""},
		{"GET", "/web/assets/", 404, ""},
		{"GET", "/web/assets/page.css", 404, ""},
		{"GET", "/web/../", 404, ""},
		{"HEAD", "/", 200, ""},
	}
	for _, test := range tests {
		res := b.do(httptest.NewRequest(test.method, b.base+test.path, nil)).want(t, test.status)
		if got := res.Header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow %q, want %q", test.method, test.path, got, test.allow)
		}
		if test.method == "HEAD" && res.body != "" {
			t.Error("HEAD has a body")
		}
	}
}

// TestCookies: a cookie is as well protected as the way permits.
func TestCookies(t *testing.T) {
	for name, test := range map[string]struct {
		base   string
		cookie string
		secure bool
	}{
		"localhost with a port":    {"http://localhost:8580", "__Host-nuconntrack-8580", true},
		"loopback":                 {"http://127.0.0.1", "__Host-nuconntrack", true},
		"loopback, IPv6":           {"http://[::1]:8580", "__Host-nuconntrack-8580", true},
		"TLS":                      {"https://firewall.example", "__Host-nuconntrack", true},
		"TLS with a port":          {"https://firewall.example:8443", "__Host-nuconntrack-8443", true},
		"plain, from elsewhere":    {"http://192.0.2.254:8580", "nuconntrack-8580", false},
		"plain, a name":            {"http://firewall.example", "nuconntrack", false},
		"plain, IPv6, no port":     {"http://[2001:db8::1]", "nuconntrack", false},
		"plain, IPv6, with a port": {"http://[2001:db8::1]:80", "nuconntrack-80", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			b := d.browser()
			b.base = test.base
			res := b.enter("ann", "secret").want(t, 303)
			at := slices.IndexFunc(res.Cookies(), func(c *http.Cookie) bool { return c.Name == test.cookie })
			if at < 0 {
				t.Fatalf("cookies %v", res.Cookies())
			}
			c := res.Cookies()[at]
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure != test.secure || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s", c.Raw)
			}
			b.get("/").want(t, 200)
			// A cookie of the same value under the name for the other way is none.
			b.cookies = map[string]string{"nuconntrack": c.Value, "__Host-nuconntrack": c.Value}
			delete(b.cookies, test.cookie)
			b.get("/").want(t, 303)
		})
	}
}

// TestTwoCookiesAreNone: one of them is what somebody planted.
func TestTwoCookiesAreNone(t *testing.T) {
	d := start(t)
	b := d.login("admin")
	r := httptest.NewRequest(http.MethodGet, b.base+"/", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-nuconntrack-8580", Value: "planted"})
	b.do(r).want(t, 303)
}

func TestAssets(t *testing.T) {
	d := start(t)
	for _, name := range []string{"page.css", "page.js", "icon.svg"} {
		p := d.server.assetPath(name)
		res := d.browser().get(p).want(t, 200)
		if !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || len(res.body) < 100 || res.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %v, %d bytes", p, res.Header, len(res.body))
		}
		for _, bad := range []string{"http:", "https:", "@import", "eval("} {
			if strings.Contains(strings.ReplaceAll(res.body, "http://www.w3.org/2000/svg", ""), bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
	}
}

// TestServes: POST to / stays XML-RPC's, and so does every other path.
func TestServes(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         bool
	}{
		{"GET", "/", true}, {"HEAD", "/", true}, {"POST", "/", false}, {"PUT", "/", false}, {"GET", "/RPC2", false},
		{"POST", "/RPC2", false}, {"GET", "/web", false}, {"GET", "/web/x", true}, {"POST", "/web/kill", true}, {"GET", "/webx", false},
	} {
		if got := Serves(httptest.NewRequest(test.method, test.path, nil)); got != test.want {
			t.Errorf("%s %s: %v", test.method, test.path, got)
		}
	}
}
