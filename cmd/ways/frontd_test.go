// SPDX-License-Identifier: GPL-2.0-or-later

package ways

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
)

// TestGuessing: wrong passwords by the thousand from one source, and the admin from another.
func TestGuessing(t *testing.T) {
	for name, attack := range map[string]func(i int) (user, from string){
		"one account":   func(int) (string, string) { return "admin", "127.0.0.2" },
		"many accounts": func(i int) (string, string) { return fmt.Sprint("user", i), "127.0.0.2" },
		"four sources":  func(i int) (string, string) { return "admin", fmt.Sprint("127.0.0.", 2+i%4) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			port := freePort(t)
			d := p.frontd(t, fmt.Sprintf("listen = [\"127.0.0.1:%d\"]\n[auth]\nbackend = \"file\"\nfile = %q\n", port, p.passwd(t, "right horse", "admin")))
			url := fmt.Sprintf("http://127.0.0.1:%d/RPC2", port)
			guess(t, url, attack, func() {
				// Nobody tells him to wait: he would have heard fault 10. Each call is bounded.
				for i := range 5 {
					if got := who(t, fromAddress(fmt.Sprint("127.0.1.", i+1)), url, nil, "admin", "right horse"); got != "admin admin" {
						t.Errorf("the admin: %s", got)
					}
				}
			})
			d.End()
			log := d.Out.String()
			if !strings.Contains(log, "login failed") || !strings.Contains(log, "127.0.0.2") || !strings.Contains(log, "kept waiting") {
				t.Error("the attack does not stand in the log")
			}
			if n := strings.Count(log, "login failed"); n > 300 {
				t.Errorf("the attack wrote %d lines", n)
			}
			if strings.Contains(log, "wrong horse") || strings.Contains(log, "right horse") {
				t.Error("a password stands in the log")
			}
		})
	}
}

// guess sends wrong passwords while f runs, at least thousands of them.
func guess(t *testing.T, url string, attack func(i int) (user, from string), f func()) {
	t.Helper()
	var sent, heard, slowed atomic.Int64
	stop := make(chan struct{})
	var all sync.WaitGroup
	defer func() {
		close(stop)
		all.Wait()
		t.Logf("of %d guesses %d were heard, %d slowed down", sent.Load(), heard.Load(), slowed.Load())
	}()
	for range 32 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				user, from := attack(int(sent.Add(1)))
				c := fromAddress(from)
				a, _, err := call(c, url, nil, "login", user, "wrong horse")
				c.CloseIdleConnections()
				switch {
				case err != nil:
				case a.code == 1:
					heard.Add(1)
				case a.code == 10 && strings.Contains(a.fault, "seconds"):
					slowed.Add(1)
				default:
					t.Errorf("a wrong password: %+v", a)
				}
			}
		})
	}
	daemontest.WaitFor(t, "thousands of wrong passwords", func() bool { return sent.Load() > 1000 })
	f()
	daemontest.WaitFor(t, "thousands of wrong passwords", func() bool { return sent.Load() > 3000 })
	daemontest.WaitFor(t, "nearly all of them to be slowed down", func() bool {
		return heard.Load() > 0 && slowed.Load() >= 10*heard.Load()
	})
}

func TestTLS(t *testing.T) {
	a, p := newAuthority(t), newPlace(t)
	a.server(t, p, "one")
	port, plain := freePort(t), freePort(t)
	d := p.frontd(t, fmt.Sprintf("listen = [\"127.0.0.1:%d\", \"plain:127.0.0.1:%d\"]\n[tls]\ncert = %q\nkey = %q\n[auth]\nbackend = \"none\"\n",
		port, plain, p.Path("cert.pem"), p.Path("key.pem")))
	url := fmt.Sprintf("https://127.0.0.1:%d/RPC2", port)
	cfg := a.tls(t, nil)
	client := overTLS(cfg)
	shown := func(cfg *tls.Config) string {
		c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), cfg)
		if err != nil {
			return err.Error()
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := who(t, client, url, nil, "ann"); got != "ann admin" {
		t.Errorf("over TLS: %s", got)
	}
	if got := who(t, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d/RPC2", plain), nil, "ann"); got != "ann admin" {
		t.Errorf("on the plain port: %s", got)
	}
	if res, err := http.Post(strings.Replace(url, "https", "http", 1), "text/xml", strings.NewReader("x")); err != nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS where it is spoken: %v, %v", res, err)
	}
	if got := shown(&tls.Config{RootCAs: cfg.RootCAs, MaxVersion: tls.VersionTLS12}); !strings.Contains(got, "protocol version") {
		t.Errorf("TLS 1.2: %s", got)
	}
	if _, _, err := call(http.DefaultClient, url, nil, "login"); err == nil {
		t.Error("a client that does not know the authority was satisfied")
	}

	// A connection that is open while the certificate changes stays, and so do sessions.
	one := oneConnection(t, cfg, port)
	if got := who(t, one, url, nil, "ann"); got != "ann admin" {
		t.Fatal(got)
	}
	a.server(t, p, "two")
	if err := d.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	daemontest.WaitFor(t, "the new certificate", func() bool { return shown(cfg) == "two" })
	if got := who(t, one, url, nil, "ann"); got != "ann admin" {
		t.Errorf("over the connection of before: %s", got)
	}
	daemontest.WaitFor(t, "the log to tell", func() bool { return strings.Contains(d.Out.String(), "certificates reloaded") })
	p.Write(t, "key.pem", "no key")
	if err := d.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	daemontest.WaitFor(t, "the complaint", func() bool { return strings.Contains(d.Out.String(), "former ones stay") })
	if got := shown(cfg); got != "two" {
		t.Errorf("after a bad reload: %s", got)
	}
}

// oneConnection is a client that never makes a second connection.
func oneConnection(t *testing.T, cfg *tls.Config, port int) *http.Client {
	t.Helper()
	c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	conns := make(chan net.Conn, 1)
	conns <- c
	return &http.Client{Transport: &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
		select {
		case c := <-conns:
			return c, nil
		default:
			return nil, fmt.Errorf("the connection was closed")
		}
	}}}
}

func TestClientCertificates(t *testing.T) {
	a, stranger, p := newAuthority(t), newAuthority(t), newPlace(t)
	a.server(t, p, "server")
	p.show(t, "ca.pem", a.pem)
	port := freePort(t)
	p.frontd(t, fmt.Sprintf("listen = [\"127.0.0.1:%d\"]\n[tls]\ncert = %q\nkey = %q\nclient_ca = %q\n[auth]\nbackend = \"tls\"\n"+
		"[auth.roles]\n\"ann@example.org\" = \"operator\"\n\"host.example.org\" = \"viewer\"\n", port, p.Path("cert.pem"), p.Path("key.pem"), p.Path("ca.pem")))
	tests := map[string]struct {
		of   *authority
		make func(c *x509.Certificate)
		want string // "": no connection
	}{
		"email":             {a, func(c *x509.Certificate) { c.EmailAddresses = []string{"ann@example.org"} }, "ann@example.org operator"},
		"DNS":               {a, func(c *x509.Certificate) { c.DNSNames = []string{"host.example.org"} }, "host.example.org viewer"},
		"nobody with roles": {a, func(c *x509.Certificate) { c.DNSNames = []string{"other.example.org"} }, "fault 1"},
		"URI": {a, func(c *x509.Certificate) {
			c.URIs = []*url.URL{{Scheme: "spiffe", Host: "x", Path: "/ann"}}
		}, "fault 1"},
		"no SAN":       {a, func(c *x509.Certificate) { c.Subject.CommonName = "ann@example.org" }, "fault 1"},
		"two names":    {a, func(c *x509.Certificate) { c.EmailAddresses = []string{"ann@example.org", "bob@example.org"} }, "fault 1"},
		"a stranger's": {stranger, func(c *x509.Certificate) { c.EmailAddresses = []string{"ann@example.org"} }, ""},
		"expired": {a, func(c *x509.Certificate) {
			c.NotAfter = time.Now().Add(-time.Minute)
			c.EmailAddresses = []string{"ann@example.org"}
		}, ""},
		"of a server": {a, func(c *x509.Certificate) {
			c.ExtKeyUsage = c.ExtKeyUsage[:1]
			c.EmailAddresses = []string{"ann@example.org"}
		}, ""},
		"no certificate": {nil, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := a.tls(t, nil)
			if test.of != nil {
				template := certificate("x")
				test.make(template)
				own := test.of.tls(t, template)
				own.RootCAs, cfg = cfg.RootCAs, own
			}
			client := overTLS(cfg)
			url := fmt.Sprintf("https://127.0.0.1:%d/RPC2", port)
			if test.want == "" {
				if a, _, err := call(client, url, nil, "login"); err == nil {
					t.Errorf("got in: %+v", a)
				}
				return
			}
			if got := who(t, client, url, http.Header{"X-Remote-User": {"root"}}); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestLocalUsers: whoever runs the test is known to the kernel.
func TestLocalUsers(t *testing.T) {
	p := newPlace(t)
	me := os.Getuid()
	name := fmt.Sprint("#", me)
	if u, err := user.LookupId(fmt.Sprint(me)); err == nil {
		name = u.Username
	}
	port := freePort(t)
	config := func(local string) string {
		return fmt.Sprintf("listen = [\"unix:%s\", \"127.0.0.1:%d\"]\n[auth]\nbackend = \"file\"\nfile = %q\n%s", p.Path("s"), port, p.Path("passwd"), local)
	}
	p.passwd(t, "right horse", "ann")
	client, tcp := overUnix(p.Path("s")), fmt.Sprintf("http://127.0.0.1:%d/", port)
	for way, test := range map[string]struct{ local, want string }{
		"by uid":          {fmt.Sprintf("[auth.local.users]\n%d = \"operator\"\n", me), name + " operator"},
		"by group":        {fmt.Sprintf("[[auth.local.groups]]\ngroup = \"%d\"\nrole = \"viewer\"\n", os.Getgid()), name + " viewer"},
		"not listed":      {"[auth.local.users]\n4000000 = \"admin\"\n", "fault 1"},
		"without section": {"", "fault -32602"},
	} {
		t.Run(way, func(t *testing.T) {
			d := p.frontd(t, config(test.local))
			defer d.End()
			if got := who(t, client, "http://x/", nil); got != test.want {
				t.Errorf("login(): %s, want %s", got, test.want)
			}
			if got := who(t, client, "http://x/", nil, "ann", "right horse"); got != "ann admin" {
				t.Errorf("login with a password over the same socket: %s", got)
			}
			if got := who(t, client, "http://x/", nil, "root", "x"); got != "fault 1" {
				t.Errorf("login with a wrong one: %s", got)
			}
			if got := who(t, fresh(), tcp, nil); got != "fault -32602" {
				t.Errorf("login() over TCP: %s", got)
			}
		})
	}
}

// TestProxyHeaderIsRefused: from those who are no proxies the header is worth nothing.
func TestProxyHeaderIsRefused(t *testing.T) {
	p := newPlace(t)
	port := freePort(t)
	d := p.frontd(t, fmt.Sprintf("listen = [\"unix:%s\", \"127.0.0.1:%d\"]\n[proxy]\nfrom = [\"unix\", \"127.0.0.9\"]\nclient_header = \"X-Real-IP\"\n[auth]\nbackend = \"proxy\"\nrole = \"viewer\"\n", p.Path("s"), port))
	url := fmt.Sprintf("http://127.0.0.1:%d/RPC2", port)
	ann := http.Header{"X-Remote-User": {"ann"}, "X-Real-Ip": {"203.0.113.5"}}
	if got := who(t, overUnix(p.Path("s")), "http://x/", ann); got != "ann viewer" {
		t.Errorf("over the Unix socket: %s", got)
	}
	if got := who(t, fromAddress("127.0.0.9"), url, ann, "any", "thing"); got != "ann viewer" {
		t.Errorf("from a listed proxy: %s", got)
	}
	if got := who(t, fromAddress("127.0.0.8"), url, ann); got != "fault 1" {
		t.Errorf("from somebody else: %s", got)
	}
	if got := who(t, fromAddress("127.0.0.9"), url, nil, "ann", "x"); got != "fault 1" {
		t.Errorf("without the header: %s", got)
	}
	d.End()
	log := d.Out.String()
	if !strings.Contains(log, "203.0.113.5 via 127.0.0.9") || strings.Contains(log, "203.0.113.5 via 127.0.0.8") {
		t.Error("the log has the wrong clients")
	}
	if !strings.Contains(log, "not from a proxy that is listed") {
		t.Error("the log does not say why")
	}
}
