// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxPEM is how much of a file with certificates or a key is read, in bytes: a machine's own
// authorities take about 250 KiB.
const maxPEM = 4 << 20

// TLSFiles say where what TLS needs stands. The zero value is this machine's authorities and no
// certificate.
type TLSFiles struct {
	// CA holds authorities in PEM, which are trusted in place of the machine's.
	CA string
	// Cert and Key hold the certificate to log in with and its key, in PEM; without Key
	// both stand in Cert.
	Cert, Key string
	// ServerName is the name that the server's certificate must be for; empty is the host of
	// the address.
	ServerName string
}

// LoadTLS reads the files. An error names the file that is at fault.
func LoadTLS(f TLSFiles) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CA != "" {
		pem, err := readPEM(f.CA)
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read authorities: no certificate in PEM in %q", f.CA)
		}
	}
	if f.Cert == "" {
		if f.Key != "" {
			return nil, errors.New("a key is of no use without a certificate")
		}
		return c, nil
	}
	cert, err := readPEM(f.Cert)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	key := cert
	if f.Key != "" {
		if key, err = readPEM(f.Key); err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %q and its key: %w", f.Cert, err)
	}
	c.Certificates = []tls.Certificate{pair}
	// Without it a server that trusts none of our authorities would be sent nothing, and its
	// refusal would not say why.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return c, nil
}

func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(data) > maxPEM {
		err = fmt.Errorf("%q is larger than %d bytes", path, maxPEM)
	}
	return data, err
}
