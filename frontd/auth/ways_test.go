// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nuconntrack/frontd/auth/passwd"
)

func TestLegacySHA(t *testing.T) {
	const text = "ann:" + bcryptHash + "\nold:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\npyctd:a94a8fe5ccb19ba61c4c0873d391e987982fbbd3\n"
	for name, legacy := range map[string]bool{"accepted": true, "not accepted": false} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, text, 0o600)
			b.source.legacy = legacy
			for _, user := range []string{"old", "pyctd"} {
				b.work = nil
				err := b.login(t.Context(), user, "test")
				if (err == nil) != legacy {
					t.Errorf("%s: %v", user, err)
				}
				// What an onlooker can tell by the time.
				if b.work[0].Kind != passwd.Bcrypt {
					t.Errorf("%s cost %v", user, b.work)
				}
				if said := strings.Count(b.log.String(), "nuctl passwd"); legacy && (said == 0 || !strings.Contains(b.log.String(), user)) || !legacy && said > 0 {
					t.Errorf("logged:\n%s", b.log)
				}
				if b.login(t.Context(), user, "Test") == nil {
					t.Errorf("%s: a wrong password was accepted", user)
				}
			}
			if strings.Contains(b.log.String(), "qUqP5c") || strings.Contains(b.log.String(), "a94a8f") {
				t.Errorf("a hash stands in the log:\n%s", b.log)
			}
			if err := b.login(t.Context(), "ann", "correct horse"); err != nil {
				t.Error(err)
			}
		})
	}
}

func header(values ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(values); i += 2 {
		h.Add(values[i], values[i+1])
	}
	return h
}

func TestProxy(t *testing.T) {
	trust := Trust{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")}, UIDs: []uint32{33}}
	tcp := func(addr string, values ...string) Request {
		return Request{Client: netip.MustParseAddr(addr), Header: header(values...), Args: []any{"mallory", "x"}}
	}
	unix := func(uid uint32, values ...string) Request {
		return Request{Unix: true, Peer: &Peer{UID: uid}, Header: header(values...)}
	}
	tests := map[string]struct {
		req  Request
		want string // "": denied
	}{
		"listed address":            {tcp("192.0.2.7", "X-User", "ann"), "ann"},
		"header in another case":    {tcp("192.0.2.7", "x-uSER", "ann"), "ann"},
		"listed IPv6":               {tcp("2001:db8::1", "X-User", "ann"), "ann"},
		"IPv4 in IPv6":              {tcp("::ffff:192.0.2.7", "X-User", "ann"), "ann"},
		"listed uid":                {unix(33, "X-User", "jörg"), "jörg"},
		"another address":           {tcp("198.51.100.1", "X-User", "ann"), ""},
		"another IPv6":              {tcp("2001:db8::2", "X-User", "ann"), ""},
		"loopback, not listed":      {tcp("127.0.0.1", "X-User", "ann"), ""},
		"another uid":               {unix(34, "X-User", "ann"), ""},
		"root is no proxy":          {unix(0, "X-User", "ann"), ""},
		"unix of nobody known":      {Request{Unix: true, Header: header("X-User", "ann")}, ""},
		"no address at all":         {Request{Header: header("X-User", "ann")}, ""},
		"no header":                 {tcp("192.0.2.7"), ""},
		"no headers at all":         {Request{Client: netip.MustParseAddr("192.0.2.7")}, ""},
		"empty header":              {tcp("192.0.2.7", "X-User", ""), ""},
		"header twice":              {tcp("192.0.2.7", "X-User", "ann", "X-User", "ann"), ""},
		"control characters":        {tcp("192.0.2.7", "X-User", "ann\troot"), ""},
		"not UTF-8":                 {tcp("192.0.2.7", "X-User", "j\xf6rg"), ""},
		"with a colon":              {tcp("192.0.2.7", "X-User", "ann:x"), ""},
		"header with an underscore": {tcp("192.0.2.7", "X_User", "ann"), ""},
		"a client that says it is behind a proxy": {func() Request {
			r := tcp("192.0.2.7", "X-User", "ann")
			r.Proxy = netip.MustParseAddr("198.51.100.1")
			return r
		}(), ""},
		"the client of a proxy": {func() Request {
			r := tcp("203.0.113.5", "X-User", "ann")
			r.Proxy = netip.MustParseAddr("192.0.2.7")
			return r
		}(), "ann"},
	}
	p := NewProxy(ProxyConfig{Trust: trust, Header: "x-user"})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			id, err := p.Login(t.Context(), test.req)
			if id.User != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, ErrDenied) {
				t.Errorf("got %+v, %v", id, err)
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	uri := func(s string) *url.URL { u, _ := url.Parse(s); return u }
	all := CertificateConfig{SANs: SANs()}
	ann := x509.Certificate{EmailAddresses: []string{"ann@example.org"}, DNSNames: []string{"host.example.org"}, Subject: pkix.Name{CommonName: "Ann"}}
	tests := map[string]struct {
		cfg  CertificateConfig
		cert *x509.Certificate
		want string
	}{
		"email comes first":         {all, &ann, "ann@example.org"},
		"only DNS counts":           {CertificateConfig{SANs: []SAN{SANDNS}}, &ann, "host.example.org"},
		"in another order":          {CertificateConfig{SANs: []SAN{SANURI, SANDNS, SANEmail}}, &ann, "host.example.org"},
		"the same name twice":       {all, &x509.Certificate{DNSNames: []string{"a", "a"}}, "a"},
		"common name":               {CertificateConfig{SANs: SANs(), CommonName: true}, &x509.Certificate{Subject: pkix.Name{CommonName: "Ann"}}, "Ann"},
		"SAN before common name":    {CertificateConfig{SANs: SANs(), CommonName: true}, &ann, "ann@example.org"},
		"listed URI":                {CertificateConfig{SANs: SANs(), Users: map[string]string{"spiffe://x/ann": "ann"}}, &x509.Certificate{URIs: []*url.URL{uri("spiffe://x/ann")}}, "ann"},
		"no certificate":            {all, nil, ""},
		"common name alone":         {all, &x509.Certificate{Subject: pkix.Name{CommonName: "Ann"}}, ""},
		"nothing":                   {all, &x509.Certificate{}, ""},
		"empty common name":         {CertificateConfig{CommonName: true}, &x509.Certificate{}, ""},
		"two of one kind":           {all, &x509.Certificate{EmailAddresses: []string{"a@x", "b@x"}, DNSNames: []string{"a"}}, ""},
		"URI, whose colon is none":  {all, &x509.Certificate{URIs: []*url.URL{uri("spiffe://x/ann")}}, ""},
		"not listed":                {CertificateConfig{SANs: SANs(), Users: map[string]string{}}, &ann, ""},
		"listed by its common name": {CertificateConfig{SANs: SANs(), Users: map[string]string{"Ann": "ann"}}, &ann, ""},
		"control characters":        {all, &x509.Certificate{DNSNames: []string{"ann\x1b[2J"}}, ""},
		"empty SAN":                 {all, &x509.Certificate{DNSNames: []string{""}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			id, err := NewCertificate(test.cfg).Login(t.Context(), Request{Certificate: test.cert, Args: []any{"root", 7}})
			if id != (Identity{User: test.want}) || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, ErrDenied) {
				t.Errorf("got %+v, %v", id, err)
			}
			if strings.Contains(err2text(err), "\x1b") {
				t.Errorf("control characters in %q", err)
			}
		})
	}
}

func err2text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// next lets in everybody as "next".
type next struct{}

func (next) Login(context.Context, Request) (Identity, error) { return Identity{User: "next"}, nil }

func TestLocal(t *testing.T) {
	cfg := LocalConfig{
		Users:  map[uint32]string{0: "admin", 1000: "operator", OverflowID: "admin"},
		Groups: []LocalGroup{{GID: 4, Role: "viewer"}, {GID: 27, Role: "admin"}, {GID: OverflowID, Role: "admin"}},
		Names:  map[uint32]string{0: "root", 1000: "ann", 1001: "bob", 1003: "bad\x1bname"},
		Header: "X-User",
	}
	peer := func(uid uint32, groups ...uint32) Request {
		return Request{Unix: true, Peer: &Peer{UID: uid, Groups: groups}}
	}
	with := func(r Request, f func(*Request)) Request { f(&r); return r }
	tests := map[string]struct {
		req         Request
		alone, both Identity // without and with another backend; the zero one is denied
	}{
		"uid":                        {peer(1000, 1000), Identity{"ann", "operator"}, Identity{"ann", "operator"}},
		"root":                       {peer(0, 0), Identity{"root", "admin"}, Identity{"root", "admin"}},
		"group":                      {peer(1001, 1001, 4), Identity{"bob", "viewer"}, Identity{"bob", "viewer"}},
		"the first of the groups":    {peer(1001, 27, 4), Identity{"bob", "viewer"}, Identity{"bob", "viewer"}},
		"uid before group":           {peer(1000, 27), Identity{"ann", "operator"}, Identity{"ann", "operator"}},
		"name not known":             {peer(1002, 27), Identity{"#1002", "admin"}, Identity{"#1002", "admin"}},
		"name not acceptable":        {peer(1003, 27), Identity{"#1003", "admin"}, Identity{"#1003", "admin"}},
		"empty arguments":            {with(peer(0), func(r *Request) { r.Args = []any{"", ""} }), Identity{"root", "admin"}, Identity{"root", "admin"}},
		"arguments":                  {with(peer(0), func(r *Request) { r.Args = []any{"ann", "x"} }), Identity{"root", "admin"}, Identity{User: "next"}},
		"a number":                   {with(peer(0), func(r *Request) { r.Args = []any{0} }), Identity{"root", "admin"}, Identity{User: "next"}},
		"no role":                    {peer(1001, 1001), Identity{}, Identity{}},
		"nobody's uid":               {peer(OverflowID, 27), Identity{}, Identity{}},
		"nobody's group":             {peer(1001, OverflowID), Identity{}, Identity{}},
		"peer not known":             {Request{Unix: true}, Identity{}, Identity{}},
		"over the network":           {Request{Client: netip.MustParseAddr("127.0.0.1")}, Identity{}, Identity{User: "next"}},
		"over the network, as peer":  {Request{Client: netip.MustParseAddr("127.0.0.1"), Peer: &Peer{}}, Identity{}, Identity{User: "next"}},
		"a proxy with a user":        {with(peer(0), func(r *Request) { r.Header = header("X-User", "ann") }), Identity{"root", "admin"}, Identity{User: "next"}},
		"a proxy for somebody else":  {with(peer(0), func(r *Request) { r.Client = netip.MustParseAddr("192.0.2.1") }), Identity{}, Identity{User: "next"}},
		"a header that is not meant": {with(peer(0), func(r *Request) { r.Header = header("X-Other", "ann") }), Identity{"root", "admin"}, Identity{"root", "admin"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, way := range []struct {
				next Backend
				want Identity
			}{{nil, test.alone}, {next{}, test.both}} {
				cfg.Next = way.next
				id, err := NewLocal(cfg).Login(t.Context(), test.req)
				if id != way.want || (err == nil) != (way.want != Identity{}) || err != nil && !errors.Is(err, ErrDenied) {
					t.Errorf("got %+v, %v, want %+v", id, err, way.want)
				}
			}
		})
	}
}

func TestReadAccounts(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	users := write("passwd", "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n# comment\n:x:1:1::\nbad:x:y:1::/:\nshort:x:7\n+::::\nann:x:1000:1000:Ann:/home/ann:/bin/sh\nbig:x:4294967296:1::\n")
	groups := write("group", "root:x:0:\nadm:x:4:ann,bob\n")
	a, err := readAccounts(users, groups)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Users) != 2 || a.Users[0] != "root" || a.Users[1000] != "ann" || a.Groups["adm"] != 4 || len(a.Groups) != 2 {
		t.Errorf("got %+v", a)
	}
	if uid, ok := a.UID("toor"); !ok || uid != 0 {
		t.Error("toor is not known")
	}
	if _, ok := a.UID("bad"); ok {
		t.Error("bad is known")
	}
	if a, err := readAccounts(dir+"/none", dir+"/none"); err != nil || len(a.Users) != 0 {
		t.Errorf("without files: %v, %v", a, err)
	}
	if _, err := readAccounts(write("long", strings.Repeat("x", 2<<20)), groups); err == nil {
		t.Error("a line without end was read")
	}
}
