// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"context"
	"html"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/exchange"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// daemon is a Server under test, with a helper that has no kernel.
type daemon struct {
	t       testing.TB
	server  *Server
	service *service.Service
	helper  *helpertest.Helper
	role    string  // of those who log in from now on
	backend backend // of logins from now on
	cfg     *Config
}

// backend is an auth.Backend that is one function.
type backend func(auth.Request) (auth.Identity, error)

func (b backend) Login(_ context.Context, r auth.Request) (auth.Identity, error) { return b(r) }

// roles are what the tests have beside the roles there are.
const roles = `
[roles.tenant]
base = "operator"
networks = ["192.0.2.1"]
[roles.looker]
methods = ["view"]
[roles.blind]
methods = ["stats"]
[roles.careful]
methods = ["view", "kill_report"]
`

func start(t testing.TB, changes ...func(*Config, *service.Config)) *daemon {
	t.Helper()
	root := strict.Read([]byte(roles), "frontd.toml")
	set := policy.ReadRoles(root)
	if err := root.Err(); err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, helper: &helpertest.Helper{}, role: "admin"}
	d.backend = func(r auth.Request) (auth.Identity, error) {
		user, password, err := r.Credentials()
		if err == nil && password != "secret" {
			err = auth.ErrDenied
		}
		return auth.Identity{User: user}, err
	}
	log := slog.New(slog.DiscardHandler)
	svc := service.Config{
		Helper: d.helper, Roles: set, Log: log,
		Backend:     backend(func(r auth.Request) (auth.Identity, error) { return d.backend(r) }),
		RoleOf:      func(string) string { return d.role },
		PageTimeout: 15 * time.Minute,
		MaxAge:      time.Nanosecond,
	}
	site, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Site: site, Log: log, Passwords: true,
		Terms: exchange.Terms{HostAllowed: func(name string) bool { return name == "firewall.example" }},
		Origin: func(r *http.Request) Origin {
			return Origin{
				Text: "192.0.2.200", Secure: r.TLS != nil || Loopback(r),
				Carrier: service.Carrier{Remote: netip.MustParseAddrPort("192.0.2.200:5000"), Local: netip.MustParseAddrPort("192.0.2.254:8580")},
				Login:   func() auth.Request { return auth.Request{Client: netip.MustParseAddr("192.0.2.200"), Header: r.Header} },
			}
		},
	}
	for _, change := range changes {
		change(&cfg, &svc)
	}
	d.service = service.New(svc)
	cfg.Service = d.service
	d.cfg = &cfg
	d.server = New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.service.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d
}

// fill puts three connections into the table: two of TCP, and one of UDP.
func (d *daemon) fill() (https, ssh, dns helpertest.Connection) {
	https = helpertest.Port(6, 1, "192.0.2.1:40001", "198.51.100.1:443")
	https.OrigBytes, https.ReplyBytes, https.Mark = 1_234_567, 98_765_432, 0x10
	ssh = helpertest.Port(6, 2, "192.0.2.2:40002", "198.51.100.2:22")
	dns = helpertest.Port(17, 3, "[2001:db8::1]:40003", "[2001:db8::53]:53")
	d.helper.Add(https, ssh, dns)
	return https, ssh, dns
}

// browser keeps cookies, as one does.
type browser struct {
	d       *daemon
	base    string // scheme and host
	cookies map[string]string
	headers map[string]string
}

func (d *daemon) browser() *browser {
	return &browser{d: d, base: "http://localhost:8580", cookies: map[string]string{}, headers: map[string]string{}}
}

// reply is an answer.
type reply struct {
	*http.Response
	body string
	text string // without markup
}

func (b *browser) do(r *http.Request) reply {
	b.d.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for name, value := range b.headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	b.d.server.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	body := w.Body.String()
	return reply{res, body, strings.Join(strings.Fields(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " "))), " ")}
}

func (b *browser) get(address string) reply {
	b.d.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, b.base+address, nil))
}

func (b *browser) post(path string, form url.Values) reply {
	b.d.t.Helper()
	r := httptest.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.base)
	return b.do(r)
}

// login logs in as ann, with the role of the daemon.
func (d *daemon) login(role string) *browser {
	d.t.Helper()
	d.role = role
	b := d.browser()
	if res := b.enter("ann", "secret"); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" {
		d.t.Fatalf("login: %d %s", res.StatusCode, res.text)
	}
	return b
}

func (b *browser) enter(user, password string) reply {
	b.d.t.Helper()
	page := b.get(pathLogin)
	page.body = page.body[strings.Index(page.body, "<main"):] // who is logged in has a form above it
	token := page.hidden("token")
	return b.post(pathLogin, url.Values{"token": {token}, "user": {user}, "password": {password}, "next": {"/"}})
}

// hidden gives the value of the first field with a name.
func (r reply) hidden(name string) string {
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(r.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// token is that of the session's forms.
func (b *browser) token() string { return b.get("/").hidden("token") }

// with adds the token to a form.
func (b *browser) with(pairs ...string) url.Values {
	form := url.Values{"token": {b.token()}}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form
}

// want checks the status, and what an answer says and does not say ("!" before it).
func (r reply) want(t testing.TB, status int, says ...string) reply {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("status %d, want %d: %.600s", r.StatusCode, status, r.text)
	}
	for _, s := range says {
		if not, ok := strings.CutPrefix(s, "!"); ok {
			if strings.Contains(r.body, not) {
				t.Errorf("it says %q: %.3000s", not, r.text)
			}
		} else if !strings.Contains(r.body, s) && !strings.Contains(r.text, s) {
			t.Errorf("it does not say %q: %.3000s", s, r.text)
		}
	}
	return r
}

// left are the ids of the connections that are left.
func (d *daemon) left() []uint32 {
	ids := map[uint32]bool{}
	for _, c := range d.helper.Table() {
		ids[c.Target.ID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// wantLeft checks which connections are left.
func (d *daemon) wantLeft(t testing.TB, ids ...uint32) {
	t.Helper()
	if left := d.left(); !slices.Equal(left, ids) {
		t.Errorf("left are %v, want %v", left, ids)
	}
}

// script is what the page's script is.
func (d *daemon) script() []byte { return d.server.assets[d.server.assetPath("page.js")].data }
