// SPDX-License-Identifier: GPL-2.0-or-later

package directory

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/auth/passwd"
)

func TestParseServer(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"ldaps":            {"ldaps://d.example.org", "ldaps://d.example.org:636"},
		"ldap":             {"ldap://d", "ldap://d:389"},
		"port":             {"ldaps://192.0.2.1:1636", "ldaps://192.0.2.1:1636"},
		"IPv6":             {"ldap://[2001:db8::1]", "ldap://[2001:db8::1]:389"},
		"slash":            {"ldap://d/", "ldap://d:389"},
		"no scheme":        {"d:389", ""},
		"path":             {"ldap://d/dc=x", ""},
		"query":            {"ldap://d/??sub", ""},
		"user":             {"ldap://u:p@d", ""},
		"socket":           {"ldapi:///run/slapd", ""},
		"no host":          {"ldap://", ""},
		"no host, a port":  {"ldap://:389", ""},
		"port 0":           {"ldap://d:0", ""},
		"port too high":    {"ldap://d:65536", ""},
		"port of a name":   {"ldap://d:ldap", ""},
		"nothing":          {"", ""},
		"control sequence": {"ldap://\x1b[2J", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := ParseServer(test.text)
			if test.want == "" {
				if err == nil {
					t.Errorf("accepted as %s", s)
				}
				return
			}
			if err != nil || s.String() != test.want {
				t.Errorf("got %s, %v", s, err)
			}
			if again, err := ParseServer(s.String()); err != nil || again != s {
				t.Errorf("read back as %s, %v", again, err)
			}
		})
	}
}

func TestFolded(t *testing.T) {
	for name, pair := range map[string][2]string{
		"case":    {"cn=Admins,dc=Example", "CN=admins,DC=EXAMPLE"},
		"space":   {"cn=a, dc=b", "cn=a,dc=b"},
		"escapes": {`cn=a\2Cb,dc=x`, `cn=a\,b,dc=x`},
	} {
		if folded(pair[0]) != folded(pair[1]) {
			t.Errorf("%s: %s and %s", name, folded(pair[0]), folded(pair[1]))
		}
	}
	for _, other := range []string{"cn=a,dc=c", "cn=a", "cn=a,dc=b,dc=c", "ou=a,dc=b", `cn=a\,dc\=b`} {
		if folded("cn=a,dc=b") == folded(other) {
			t.Errorf("%s is taken for another name", other)
		}
	}
}

// FuzzEscapes: whatever a user is called, it stays one value of one name and of one filter.
func FuzzEscapes(f *testing.F) {
	for _, name := range []string{"ann", "*)(uid=*", "a,b=c+d", `a\`, "#x", "a b", "jörg", `"<>;`, "{user}", "{dn}", "a=", "\\00"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if passwd.CheckName(name) != nil {
			return
		}
		dn, err := ldap.ParseDN(fill("uid={user},ou=people,dc=x", "{user}", ldap.EscapeDN(name)))
		if err != nil || len(dn.RDNs) != 3 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Value != name {
			t.Errorf("%q became another name: %+v, %v", name, dn, err)
		}
		packet, err := ldap.CompileFilter(fill("(uid={user})", "{user}", ldap.EscapeFilter(name)))
		if err != nil || packet.Tag != ldap.FilterEqualityMatch || len(packet.Children) != 2 || packet.Children[1].Data.String() != name {
			t.Errorf("%q became another filter: %v", name, err)
		}
	})
}

// hostile is a server that hears what it is told and answers with what it likes.
type hostile struct {
	addr  *net.TCPAddr
	ca    string
	mu    sync.Mutex
	heard bytes.Buffer
}

func newHostile(t *testing.T, overTLS bool, answer func(net.Conn)) *hostile {
	t.Helper()
	h := &hostile{ca: filepath.Join(t.TempDir(), "ca.pem")}
	cert := h.certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().(*net.TCPAddr)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				if overTLS {
					c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
				}
				buf := make([]byte, 4096)
				n, err := c.Read(buf)
				h.mu.Lock()
				h.heard.Write(buf[:n])
				h.mu.Unlock()
				if err == nil {
					answer(c)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return h
}

func (h *hostile) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// success is the answer to a message of this id and kind (RFC 4511, section 4.1.9).
func success(id, kind byte) []byte { return []byte{0x30, 12, 2, 1, id, kind, 7, 10, 1, 0, 4, 0, 4, 0} }

func TestHostileServers(t *testing.T) {
	forever := func(data []byte) func(net.Conn) {
		return func(c net.Conn) {
			for {
				if _, err := c.Write(data); err != nil {
					return
				}
			}
		}
	}
	once := func(data []byte) func(net.Conn) {
		return func(c net.Conn) {
			c.Write(data)
			io.Copy(io.Discard, c)
		}
	}
	tests := map[string]struct {
		tls    bool
		answer func(net.Conn)
	}{
		"garbage without end":        {true, forever(bytes.Repeat([]byte{'A'}, 4096))},
		"answers without end":        {true, forever(success(9, 0x61))},
		"a packet of two gigabytes":  {true, forever(append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xf0}, make([]byte, 4096)...))},
		"nested deeply":              {true, once(bytes.Repeat([]byte{0x30, 0x80}, 100000))},
		"nothing":                    {true, once(nil)},
		"hangs up":                   {true, func(net.Conn) {}},
		"a referral":                 {true, once([]byte{0x30, 12, 2, 1, 1, 0x61, 7, 10, 1, 10, 4, 0, 4, 0})},
		"no TLS, says no":            {false, once([]byte{0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 2, 4, 0, 4, 0})},
		"no TLS, garbage":            {false, forever([]byte("garbage"))},
		"no TLS, says yes, has none": {false, once(append(success(1, 0x78), success(2, 0x61)...))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, test.tls, test.answer)
			d := New(Config{
				Servers: []Server{{Host: "127.0.0.1", Port: uint16(h.addr.Port), Implicit: test.tls}}, CA: h.ca, Timeout: 2 * time.Second,
				UserDN: "uid={user},dc=x", NameAttribute: "uid",
			})
			id, err := d.Login(t.Context(), auth.Request{Args: []any{"ann", "secret horse"}})
			var down *auth.DownError
			if !errors.As(err, &down) || id != (auth.Identity{}) || len(err.Error()) > 1000 {
				t.Errorf("got %+v, %.1000v", id, err)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if !test.tls && strings.Contains(h.heard.String(), "secret horse") {
				t.Error("the password was said without TLS")
			}
		})
	}
}

// TestRefusedAtOnce: no server is asked about these.
func TestRefusedAtOnce(t *testing.T) {
	d := New(Config{Servers: []Server{{Host: "127.0.0.1", Port: 1}}, UserDN: "uid={user}", NameAttribute: "uid"})
	for name, test := range map[string]struct {
		args []any
		want error
	}{
		"empty password":    {[]any{"ann", ""}, auth.ErrDenied},
		"password too long": {[]any{"ann", strings.Repeat("x", passwd.MaxPassword+1)}, auth.ErrDenied},
		"empty name":        {[]any{"", "x"}, auth.ErrDenied},
		"name of two lines": {[]any{"a\nb", "x"}, auth.ErrDenied},
		"name with a NUL":   {[]any{"ann\x00", "x"}, auth.ErrDenied},
		"no arguments":      {nil, auth.ErrArguments},
		"three arguments":   {[]any{"a", "b", "c"}, auth.ErrArguments},
		"numbers":           {[]any{1, 2}, auth.ErrArguments},
	} {
		if _, err := d.Login(t.Context(), auth.Request{Args: test.args}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Login(ctx, auth.Request{Args: []any{"ann", "x"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that left: %v", err)
	}
}
