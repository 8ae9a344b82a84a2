// SPDX-License-Identifier: GPL-2.0-or-later

package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.cert, a.key, a.pem, _ = a.issue(t, "authority", true)
	return a
}

// issue returns a certificate of the authority, or one that signs itself.
func (a *authority) issue(t *testing.T, name string, ca bool) (*x509.Certificate, *ecdsa.PrivateKey, []byte, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: ca, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func (a *authority) pair(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	_, _, cert, key = a.issue(t, name, false)
	return cert, key
}

type place struct {
	cfg Config
	log bytes.Buffer
}

func newPlace(t *testing.T) *place {
	dir := t.TempDir()
	p := &place{cfg: Config{Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key"), MinVersion: tls.VersionTLS13}}
	p.cfg.Log = slog.New(slog.NewTextHandler(&p.log, nil))
	return p
}

// write replaces a file, and makes sure that its time tells.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *place) pair(t *testing.T, cert, key []byte) {
	t.Helper()
	write(t, p.cfg.Cert, cert)
	write(t, p.cfg.Key, key)
}

// connected returns both ends of a connection, with a deadline.
func connected() (near, far net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if far, err = l.Accept(); err != nil {
		return nil, nil, err
	}
	end := time.Now().Add(time.Minute)
	return near, far, errors.Join(near.SetDeadline(end), far.SetDeadline(end))
}

// handshake returns the name that a server with this Store shows, and says something over the
// connection and back.
func handshake(s *Store, client *tls.Config) (string, error) {
	near, far, err := connected()
	if err != nil {
		return "", err
	}
	defer near.Close()
	done := make(chan error, 1)
	go func() {
		server := tls.Server(far, s.TLS())
		defer far.Close()
		_, err := io.CopyN(server, server, 1)
		done <- err
	}()
	client.InsecureSkipVerify = true // the name is what is looked at
	c := tls.Client(near, client)
	_, err = c.Write([]byte("x"))
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	if err != nil {
		near.Close()
		return "", errors.Join(err, <-done)
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, <-done
}

func TestOpenRefuses(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.pair(t, "one")
	_, otherKey := a.pair(t, "two")
	tests := map[string]struct {
		cert, key, ca []byte
		want          string
	}{
		"no certificate":     {nil, key, nil, "read certificate"},
		"no key":             {cert, nil, nil, "read key"},
		"key of another":     {cert, otherKey, nil, "private key does not match"},
		"not PEM":            {[]byte("x"), key, nil, "PEM"},
		"exchanged":          {key, cert, nil, "failed to find"},
		"half a key":         {cert, key[:60], nil, "PEM"},
		"too large":          {bytes.Repeat(cert, 2000), key, nil, "larger than"},
		"authorities empty":  {cert, key, []byte("\n"), "no certificate in"},
		"authorities no PEM": {cert, key, []byte("x"), "no certificate in"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			if test.cert != nil {
				write(t, p.cfg.Cert, test.cert)
			}
			if test.key != nil {
				write(t, p.cfg.Key, test.key)
			}
			if test.ca != nil {
				p.cfg.ClientCA = p.cfg.Cert + ".ca"
				write(t, p.cfg.ClientCA, test.ca)
			}
			s, err := Open(p.cfg)
			if err == nil || s != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), string(key[40:60])) {
				t.Errorf("a key stands in the error %v", err)
			}
		})
	}
}

func TestReload(t *testing.T) {
	a := newAuthority(t)
	p := newPlace(t)
	oneCert, oneKey := a.pair(t, "one")
	p.pair(t, oneCert, oneKey)
	s, err := Open(p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	shows := func(want string) {
		t.Helper()
		if name, err := handshake(s, &tls.Config{}); name != want {
			t.Errorf("the certificate is %q, %v, want %q", name, err, want)
		}
	}
	shows("one")
	twoCert, twoKey := a.pair(t, "two")
	write(t, p.cfg.Cert, twoCert)
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Errorf("half of a pair was taken: %v", err)
	}
	shows("one")
	write(t, p.cfg.Key, twoKey)
	if err := s.Reload(); err != nil {
		t.Error(err)
	}
	shows("two")
	if !strings.Contains(p.log.String(), "certificates reloaded") || strings.Contains(p.log.String(), "PRIVATE") {
		t.Errorf("logged:\n%s", &p.log)
	}
	// Without being told, a while later.
	threeCert, threeKey := a.pair(t, "three")
	p.pair(t, threeCert, threeKey)
	s.looked = s.looked.Add(-2 * lookEvery)
	shows("three")
	if err := os.Remove(p.cfg.Key); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.looked = s.looked.Add(-2 * lookEvery)
		shows("three")
	}
	if n := strings.Count(p.log.String(), "cannot be used"); n != 1 {
		t.Errorf("one bad state was logged %d times", n)
	}
}

// TestReloadKeepsConnections: what is connected goes on with what it began with.
func TestReloadKeepsConnections(t *testing.T) {
	a := newAuthority(t)
	p := newPlace(t)
	cert, key := a.pair(t, "one")
	p.pair(t, cert, key)
	s, err := Open(p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	near, far, err := connected()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	done := make(chan error, 1)
	go func() {
		server := tls.Server(far, s.TLS())
		_, err := io.CopyN(server, server, 2)
		done <- errors.Join(err, server.Close())
	}()
	c := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	for range 2 {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		cert, key = a.pair(t, "two")
		p.pair(t, cert, key)
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestHandshakes(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	client := func(of *authority) *tls.Config {
		cert, key := of.pair(t, "ann")
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
	}
	tests := map[string]struct {
		clients bool // must have a certificate
		version uint16
		cfg     *tls.Config
		ok      bool
	}{
		"1.3":                        {false, tls.VersionTLS13, &tls.Config{}, true},
		"1.2, not allowed":           {false, tls.VersionTLS13, &tls.Config{MaxVersion: tls.VersionTLS12}, false},
		"1.2, allowed":               {false, tls.VersionTLS12, &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"1.1":                        {false, tls.VersionTLS12, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		"client's certificate":       {true, tls.VersionTLS13, client(a), true},
		"no certificate":             {true, tls.VersionTLS13, &tls.Config{}, false},
		"certificate of a stranger":  {true, tls.VersionTLS13, client(stranger), false},
		"no certificate in 1.2":      {true, tls.VersionTLS12, &tls.Config{MaxVersion: tls.VersionTLS12}, false},
		"certificate nobody asks of": {false, tls.VersionTLS13, client(stranger), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.cfg.MinVersion = test.version
			cert, key := a.pair(t, "server")
			p.pair(t, cert, key)
			if test.clients {
				p.cfg.ClientCA = p.cfg.Cert + ".ca"
				write(t, p.cfg.ClientCA, a.pem)
			}
			s, err := Open(p.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := handshake(s, test.cfg); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}
