// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// issuer makes certificates, and writes them with their keys into one file each.
type issuer struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (i *issuer) issue(t *testing.T, file string, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: file}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"firewall.example.org"},
	}
	edit(c)
	parent, parentKey := i.cert, i.key
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	if i.cert == nil {
		if i.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		i.key = key
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for name, data := range map[string][]byte{".pem": append(bytes.Clone(certPEM), keyPEM...), ".crt": certPEM, ".key": keyPEM} {
		if err := os.WriteFile(filepath.Join(i.dir, file+name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func newIssuer(t *testing.T, dir, file string) *issuer {
	i := &issuer{dir: dir}
	i.issue(t, file, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	})
	return i
}

// serveTLS serves the fake server with a certificate.
func serveTLS(t *testing.T, c *tls.Config) string {
	t.Helper()
	fake := newFakeServer()
	t.Cleanup(fake.close)
	s := httptest.NewUnstartedServer(fake)
	s.TLS = c
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// nuctl runs it with nobody at the terminal.
func nuctl(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errors strings.Builder
	code = run(t.Context(), args, strings.NewReader(""), &out, &errors)
	return code, out.String(), errors.String()
}

func TestTLS(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	ours, others := newIssuer(t, dir, "ca"), newIssuer(t, dir, "other-ca")
	plain := func(*x509.Certificate) {}
	server := ours.issue(t, "server", plain)
	ours.issue(t, "client", plain)
	others.issue(t, "stranger", plain)
	expired := ours.issue(t, "expired", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	})
	early := ours.issue(t, "early", func(c *x509.Certificate) {
		c.NotBefore = time.Now().Add(time.Hour)
		c.NotAfter = time.Now().Add(2 * time.Hour)
	})
	named := ours.issue(t, "named", func(c *x509.Certificate) { c.IPAddresses = nil })
	clients := x509.NewCertPool()
	clients.AddCert(ours.cert)

	open := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{server}})
	closed := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients})
	other := func(c tls.Certificate) string { return serveTLS(t, &tls.Config{Certificates: []tls.Certificate{c}}) }
	port := strings.TrimPrefix(open, "https://127.0.0.1:")
	tests := map[string]struct {
		args []string
		code int
		says string
	}{
		"an authority of our own":           {[]string{"--server", open, "--ca-file", file("ca.crt")}, 0, ""},
		"a client certificate":              {[]string{"--server", closed, "--ca-file", file("ca.crt"), "--cert-file", file("client.crt"), "--key-file", file("client.key")}, 0, ""},
		"both in one file":                  {[]string{"--server", closed, "--ca-file", file("ca.crt"), "--cert-file", file("client.pem")}, 0, ""},
		"another name, which is given":      {[]string{"--server", other(named), "--ca-file", file("ca.crt"), "--server-name", "firewall.example.org"}, 0, ""},
		"an authority nobody knows":         {[]string{"--server", open}, 1, "--ca-file or NUCTL_CA_FILE"},
		"another authority":                 {[]string{"--server", open, "--ca-file", file("other-ca.crt")}, 1, "--ca-file or NUCTL_CA_FILE"},
		"another name":                      {[]string{"--server", other(named), "--ca-file", file("ca.crt")}, 1, "(firewall.example.org) in --server, or say with --server-name"},
		"a name that is not the server's":   {[]string{"--server", open, "--ca-file", file("ca.crt"), "--server-name", "x.example.org"}, 1, "firewall.example.org, 127.0.0.1"},
		"expired":                           {[]string{"--server", other(expired), "--ca-file", file("ca.crt")}, 1, "renew it on the server"},
		"not yet":                           {[]string{"--server", other(early), "--ca-file", file("ca.crt")}, 1, "is the clock of this machine right?"},
		"no client certificate":             {[]string{"--server", closed, "--ca-file", file("ca.crt")}, 4, "the server wants a client certificate"},
		"a stranger's client certificate":   {[]string{"--server", closed, "--ca-file", file("ca.crt"), "--cert-file", file("stranger.pem")}, 4, "client_ca"},
		"an expired client certificate":     {[]string{"--server", closed, "--ca-file", file("ca.crt"), "--cert-file", file("expired.pem")}, 4, "certificate"},
		"plain HTTP":                        {[]string{"--server", "http://127.0.0.1:" + port}, 1, "try https://"},
		"a key that is not the one":         {[]string{"--server", open, "--cert-file", file("client.crt"), "--key-file", file("server.key")}, 2, "client.crt"},
		"a certificate without a key":       {[]string{"--server", open, "--cert-file", file("client.crt")}, 2, "client.crt"},
		"a file of authorities without any": {[]string{"--server", open, "--ca-file", file("ca.key")}, 2, "no certificate in PEM"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := nuctl(t, append([]string{"list"}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.says) || (code == 0) != strings.Contains(stdout, "ESTABLISHED") {
				t.Errorf("exit code %d, %s, want %d with %q\n%s", code, stderr, test.code, test.says, stdout)
			}
		})
	}
	if err := os.Chmod(file("client.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, stderr := nuctl(t, "list", "--server", closed, "--ca-file", file("ca.crt"), "--cert-file", file("client.crt"), "--key-file", file("client.key"))
	if !strings.Contains(stderr, "may use the key in") {
		t.Errorf("a key that everybody may read: %s", stderr)
	}
}

// TestHTTPAuth: a proxy that asks for a user and password gets those of the login, and only
// if it asks or this is set.
func TestHTTPAuth(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		challenge, auth, user string
		code, asked, sent     int
	}{
		"asked":                    {`Basic realm="firewall"`, "auto", "admin", 0, 1, 4},
		"asked among others":       {`Negotiate, Basic realm="firewall"`, "auto", "admin", 0, 1, 4},
		"at once":                  {`Basic realm="firewall"`, "basic", "admin", 0, 0, 4},
		"a wrong one":              {`Basic realm="firewall"`, "auto", "eve", 4, 2, 1},
		"never":                    {`Basic realm="firewall"`, "never", "admin", 4, 1, 0},
		"asked for something else": {`Digest realm="Basic"`, "auto", "admin", 4, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeServer()
			defer fake.close()
			var mu sync.Mutex // guards asked and sent
			asked, sent := 0, 0
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Errorf("read call: %v", err)
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				user, secret, ok := r.BasicAuth()
				mu.Lock()
				// One that keeps the session alive comes where a machine is slow.
				if ok && !bytes.Contains(body, []byte("<methodName>whoami<")) {
					sent++
				}
				wrong := user != "admin" || secret != "secret"
				if wrong {
					asked++
				}
				mu.Unlock()
				if wrong {
					w.Header().Set("WWW-Authenticate", test.challenge)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				fake.ServeHTTP(w, r)
			}))
			defer proxy.Close()
			code, _, stderr := nuctl(t, "list", "--server", proxy.URL, "--user", test.user, "--password-file", password, "--http-auth", test.auth)
			mu.Lock()
			defer mu.Unlock()
			if code != test.code || asked != test.asked || sent < min(test.sent, 1) || sent > test.sent || strings.Contains(stderr, "secret") {
				t.Errorf("exit code %d, asked %d times, sent %d times, %s", code, asked, sent, stderr)
			}
		})
	}
}
