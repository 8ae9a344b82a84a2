// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"

	"nuconntrack/frontd/auth/passwd"
)

// A SAN is a kind of subject alternative name (RFC 5280, section 4.2.1.6).
type SAN string

// The kinds that can name a user.
const (
	SANEmail SAN = "email"
	SANDNS   SAN = "dns"
	SANURI   SAN = "uri"
)

// SANs returns all of them.
func SANs() []SAN { return []SAN{SANEmail, SANDNS, SANURI} }

// CertificateConfig configures a Certificate.
type CertificateConfig struct {
	// SANs are the kinds that are looked at, in this order. The first that a certificate has
	// names the user.
	SANs []SAN
	// CommonName takes the subject's common name where a certificate has none of SANs.
	CommonName bool
	// Users, unless nil, gives the user for each name; others are refused.
	Users map[string]string
}

// Certificate logs users in by the client certificate that TLS has verified. The arguments of the
// login do not count.
type Certificate struct{ cfg CertificateConfig }

var _ Backend = (*Certificate)(nil)

// NewCertificate returns a backend.
func NewCertificate(cfg CertificateConfig) *Certificate { return &Certificate{cfg: cfg} }

// Login takes any arguments. A certificate with two names of the kind that counts says of nobody
// which of the two he is, and is refused.
func (c *Certificate) Login(_ context.Context, req Request) (Identity, error) {
	if req.Certificate == nil {
		return Identity{}, denied("no client certificate")
	}
	name, err := c.nameOf(req.Certificate)
	if err != nil {
		return Identity{}, err
	}
	if c.cfg.Users != nil {
		user, ok := c.cfg.Users[name]
		if !ok {
			return Identity{}, denied(fmt.Sprintf("the certificate's name %q is not listed", name))
		}
		name = user
	}
	if err := passwd.CheckName(name); err != nil {
		return Identity{}, denied(fmt.Sprintf("the certificate names %q: %v", name, err))
	}
	return Identity{User: name}, nil
}

func (c *Certificate) nameOf(cert *x509.Certificate) (string, error) {
	for _, kind := range c.cfg.SANs {
		var names []string
		switch kind {
		case SANEmail:
			names = cert.EmailAddresses
		case SANDNS:
			names = cert.DNSNames
		case SANURI:
			for _, u := range cert.URIs {
				names = append(names, u.String())
			}
		}
		names = slices.Compact(slices.Sorted(slices.Values(names)))
		switch len(names) {
		case 0:
		case 1:
			return names[0], nil
		default:
			return "", denied(fmt.Sprintf("the certificate has %d names of the kind %s", len(names), kind))
		}
	}
	if c.cfg.CommonName && cert.Subject.CommonName != "" {
		return cert.Subject.CommonName, nil
	}
	return "", denied("the certificate has no name of a kind that counts")
}
