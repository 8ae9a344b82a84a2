// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"syscall"
	"time"

	"nuconntrack/cmd/nuctl/client"
)

// Alerts by which a server refuses a client's certificate, or that there is none (RFC 8446,
// section 6.2).
const (
	alertBadCertificate     = 42
	alertRevokedCertificate = 44
	alertExpiredCertificate = 45
	alertUnknownCertificate = 46
	alertUnknownCA          = 48
	alertProtocolVersion    = 70
	alertNeedsCertificate   = 116
)

// maxNames is how many names of a certificate are shown.
const maxNames = 5

// cause takes off what net and net/http wrap around an error.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	var call *url.Error
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}

func whenUnreachable(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	alert, refused := alertOf(err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return "nothing listens there: start it on the firewall with 'systemctl start nuconntrack-frontd.socket', or give another address with --server or NUCTL_SERVER"
	case errors.Is(err, fs.ErrPermission):
		return "you may not open this socket: its folder and group say who may"
	case errors.As(err, &name):
		return "the name cannot be found: check --server or NUCTL_SERVER"
	case errors.As(err, &certificate):
		return whenUntrusted(certificate)
	case refused:
		return whenRefused(alert)
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS: use http:// if the way there is safe"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way to it from here: check --server or NUCTL_SERVER, and the routes of this machine"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection in the middle: it may have been restarted, 'journalctl -u nuconntrack-frontd' there has more; run the command again"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was cut: a firewall may have done so, or the port speaks something else: check --server or NUCTL_SERVER"
	}
	return "check --server or NUCTL_SERVER, and whether the firewall lets you in"
}

// whenUntrusted is what to do about a server's certificate.
func whenUntrusted(e *tls.CertificateVerificationError) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(e.Err, &host):
		return "use one of the names that the certificate is for (" + namesOf(host.Certificate) + ") in --server, or say with --server-name which it is"
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		c := invalid.Cert
		if time.Now().Before(c.NotBefore) {
			return fmt.Sprintf("the certificate holds from %s on: is the clock of this machine right?", c.NotBefore.UTC().Format(time.RFC3339))
		}
		return fmt.Sprintf("the certificate held until %s: renew it on the server, which reads it by itself then", c.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(e.Err, &authority):
		return "the certificate is not of an authority that is trusted here: give the one it is of with --ca-file or NUCTL_CA_FILE, or add it to this machine's"
	}
	return "the server's certificate does not serve for this: have another made for it"
}

func namesOf(c *x509.Certificate) string {
	if c == nil {
		return "none"
	}
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > maxNames:
		names = append(names[:maxNames:maxNames], "…")
	}
	return strings.Join(names, ", ")
}

// whenRefused is what to do about what a server says in the handshake.
func whenRefused(alert uint8) string {
	switch alert {
	case alertNeedsCertificate:
		return "the server wants a client certificate: give it with --cert-file and --key-file, or cert_file and key_file in the profile"
	case alertExpiredCertificate:
		return "the certificate of --cert-file has expired: have a new one made"
	case alertRevokedCertificate:
		return "the certificate of --cert-file was revoked"
	case alertUnknownCA, alertBadCertificate, alertUnknownCertificate:
		return "the server does not take the certificate of --cert-file, or wants one: it must be of the authority in client_ca of its frontd.toml"
	case alertProtocolVersion:
		return "the server speaks no TLS that is spoken here: 1.2 and 1.3 are"
	}
	return "the two cannot agree on how to speak TLS: the journal of the server has more"
}

// alertOf gives the alert that the other end sent. Over TCP, crypto/tls returns it as a
// number of a type that it does not export, in a net.OpError of an own kind; tls.AlertError is
// for QUIC alone.
func alertOf(err error) (alert uint8, ok bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return uint8(v.Uint()), true
}

// refusedByPeer says whether a call failed by the server's word in the handshake: not
// authenticated.
func refusedByPeer(e *client.Error) bool {
	alert, ok := alertOf(e.Err)
	if !ok {
		return false
	}
	switch alert {
	case alertNeedsCertificate, alertExpiredCertificate, alertRevokedCertificate, alertUnknownCA, alertBadCertificate, alertUnknownCertificate:
		return true
	}
	return false
}
