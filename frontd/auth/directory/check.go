// SPDX-License-Identifier: GPL-2.0-or-later

package directory

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Ports of LDAP (RFC 4511, section 5.2) and of LDAP within TLS.
const (
	portLDAP  = 389
	portLDAPS = 636
)

// A Server is where a directory is asked.
type Server struct {
	// Host is a name or an IP address.
	Host string
	Port uint16
	// Implicit says that TLS comes first (ldaps). Else it is switched to before anything
	// is said (StartTLS, RFC 4511, section 4.14).
	Implicit bool
}

// ParseServer reads ldaps://host, ldaps://host:port, or the same with ldap.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Server{}, errors.New("not a URL")
	case u.Scheme != "ldap" && u.Scheme != "ldaps":
		return Server{}, errors.New("want ldaps://host or ldap://host, the latter for StartTLS")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return Server{}, errors.New("want ldaps://host:port and nothing else")
	case u.Hostname() == "" || len(u.Hostname()) > 253:
		return Server{}, errors.New("the host is missing or too long")
	}
	s := Server{Host: u.Hostname(), Port: portLDAP, Implicit: u.Scheme == "ldaps"}
	if s.Implicit {
		s.Port = portLDAPS
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return Server{}, errors.New("a port is a number, 1 to 65535")
		}
		s.Port = uint16(n)
	}
	return s, nil
}

// String returns the server as ParseServer reads it.
func (s Server) String() string {
	scheme := "ldap"
	if s.Implicit {
		scheme = "ldaps"
	}
	return scheme + "://" + s.address()
}

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))) }

// Named reports whether the host has to be looked up.
func (s Server) Named() bool {
	_, err := netip.ParseAddr(s.Host)
	return err != nil
}

// CheckDN says why a text is not a distinguished name (RFC 4514). With {user} in it, it is one
// for every user.
func CheckDN(text string) error {
	dn, err := ldap.ParseDN(fill(text, "{user}", "x"))
	if err != nil {
		return fmt.Errorf("not a distinguished name: %w", err)
	}
	if len(dn.RDNs) == 0 {
		return errors.New("empty")
	}
	return nil
}

// CheckFilter says why a text with one of these placeholders in it is not a filter (RFC 4515).
func CheckFilter(text string, placeholders ...string) error {
	some := false
	filled := text
	for _, p := range placeholders {
		some = some || strings.Contains(text, p)
		filled = fill(filled, p, "x")
	}
	if !some {
		return fmt.Errorf("nothing in it stands for the user: want %s", strings.Join(placeholders, " or "))
	}
	if _, err := ldap.CompileFilter(filled); err != nil {
		return fmt.Errorf("not a filter: %w", err)
	}
	return nil
}

// fill puts values in the place of placeholders, which come in pairs. What a value looks like does
// not matter: it is not looked at again.
func fill(template string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(template)
}

// folded is a form of a distinguished name that is the same for most ways to write the same
// name: in any case, with any space around commas, with any escapes.
func folded(text string) string {
	dn, err := ldap.ParseDN(text)
	if err != nil {
		return text
	}
	return strings.ToLower(dn.String())
}
