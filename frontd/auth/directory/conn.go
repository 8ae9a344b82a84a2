// SPDX-License-Identifier: GPL-2.0-or-later

package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"nuconntrack/frontd/auth"
)

// maxSecret bounds the file of a password, and maxCA that of certificates, bytes.
const (
	maxSecret = 4 << 10
	maxCA     = 1 << 20
)

// conn is a connection to a server that TLS protects.
type conn struct {
	*ldap.Conn
	stop func() bool
}

func (c *conn) close() {
	c.stop()
	_ = c.Close() // nothing is left to lose
}

// connect tries the servers in their order. Each gets its share of the time that is left.
func (d *Directory) connect(ctx context.Context) (*conn, error) {
	cfg, err := d.tls()
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, s := range d.cfg.Servers {
		deadline, _ := ctx.Deadline()
		share := time.Until(deadline) / time.Duration(len(d.cfg.Servers)-i)
		c, err := dial(ctx, s, cfg.Clone(), share)
		if err == nil {
			return c, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", s, err))
	}
	return nil, errors.Join(errs...)
}

func (d *Directory) tls() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: d.cfg.ServerName}
	if d.cfg.CA == "" {
		return cfg, nil
	}
	pem, err := readFile(d.cfg.CA, maxCA)
	if err != nil {
		return nil, fmt.Errorf("read certificates of authorities: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %q", d.cfg.CA)
	}
	return cfg, nil
}

// dial connects and speaks TLS within a time, and leaves the connection with ctx's deadline.
func dial(ctx context.Context, s Server, cfg *tls.Config, within time.Duration) (*conn, error) {
	if cfg.ServerName == "" {
		cfg.ServerName = s.Host
	}
	dialer := net.Dialer{Timeout: within}
	// Landlock knows the ports of TCP, not those of multipath TCP.
	dialer.SetMultipathTCP(false)
	end := time.Now().Add(within)
	raw, err := dialer.DialContext(ctx, "tcp", s.address())
	if err != nil {
		return nil, err
	}
	// Deadlines below TLS bound handshakes too.
	if err := raw.SetDeadline(end); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	c, err := secure(ctx, &bounded{Conn: raw, left: maxAnswers}, s, cfg)
	if err != nil {
		stop()
		_ = raw.Close() // it may be closed already
		return nil, err
	}
	c.stop = stop
	deadline, _ := ctx.Deadline()
	if err := raw.SetDeadline(deadline); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// secure puts TLS over a connection.
func secure(ctx context.Context, raw net.Conn, s Server, cfg *tls.Config) (*conn, error) {
	if s.Implicit {
		over := tls.Client(raw, cfg)
		if err := over.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		c := &conn{Conn: ldap.NewConn(over, true)}
		c.Start()
		return c, nil
	}
	c := &conn{Conn: ldap.NewConn(raw, false)}
	c.Start()
	if err := c.StartTLS(cfg); err != nil {
		_ = c.Close() // the error that counts is the first
		return nil, err
	}
	return c, nil
}

// bounded is a connection that reads no more than so much.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the server sent more than %d bytes", maxAnswers)
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// bindUser tries a password. It is auth.ErrDenied if the server says no.
func (c *conn) bindUser(dn, password string) error {
	if dn == "" || password == "" {
		return auth.Denied("a bind without name or password would succeed without proving anything")
	}
	err := c.Bind(dn, password)
	switch {
	case err == nil:
		return nil
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultInsufficientAccessRights):
		return auth.Denied("the directory refuses the user: " + clean(err))
	}
	return fmt.Errorf("bind as the user: %w", err)
}

// bindNobody makes the connection anonymous.
func (c *conn) bindNobody() error {
	if err := c.UnauthenticatedBind(""); err != nil {
		return fmt.Errorf("bind anonymously: %w", err)
	}
	return nil
}

// request is a search. most bounds its answers.
type request struct {
	base       string
	scope      int
	filter     string
	attributes []string
	most       int
}

// find returns at most r.most entries. References to other servers are not followed.
func (c *conn) find(r request) ([]*ldap.Entry, error) {
	result, err := c.Search(ldap.NewSearchRequest(r.base, r.scope, ldap.NeverDerefAliases, r.most, 0, false, r.filter, r.attributes, nil))
	// Beyond the limit the server says so, after as many as were asked for.
	if err != nil && !(ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && result != nil) {
		return nil, err
	}
	return result.Entries, nil
}

// clean is the text of an error that a server made, for the log.
func clean(err error) string {
	const most = 200
	text := strings.ToValidUTF8(err.Error(), "?")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return fmt.Sprintf("%q", text)
}

// readSecret reads a password without the newline at its end. Others must not be able to read it.
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read bind password: %w", err)
	}
	const others fs.FileMode = 0o006
	if info.Mode()&others != 0 {
		return "", fmt.Errorf("bind password %q has mode %#o: others may read or write it", path, info.Mode().Perm())
	}
	data, err := readFile(path, maxSecret)
	if err != nil {
		return "", fmt.Errorf("read bind password: %w", err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if secret == "" {
		return "", fmt.Errorf("bind password %q is empty", path)
	}
	return secret, nil
}

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%q has more than %d bytes", path, most)
	}
	return data, err
}
