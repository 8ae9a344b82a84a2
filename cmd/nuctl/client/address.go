// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
)

// DefaultServer is the address of a front daemon on this machine.
const DefaultServer = "http://127.0.0.1:8580/RPC2"

// Address is where a server listens. The zero value is of no use: see ParseAddress.
type Address struct {
	text   string
	url    string // what the HTTP request names
	socket string // path of a Unix socket; empty for TCP
	plain  bool
}

// ParseAddress reads an http or https URL, or the absolute path of a socket, with unix: before
// it or not. A URL
// without a path gets /RPC2. User names and passwords in it are refused: everybody on
// the machine reads command lines.
func ParseAddress(text string) (Address, error) {
	path, ok := strings.CutPrefix(text, "unix:")
	if !ok && strings.HasPrefix(text, "/") {
		path, ok = text, true
	}
	if ok {
		path = strings.TrimPrefix(path, "//")
		if !filepath.IsAbs(path) {
			return Address{}, fmt.Errorf("server %q: the path of the socket must begin with /", text)
		}
		return Address{text: "unix:" + path, url: "http://localhost/RPC2", socket: path}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		// The parser's error repeats the text, which may hold a password.
		return Address{}, errors.New("server: not a URL, which begins with http://, https:// or unix:/")
	}
	switch {
	case u.User != nil:
		return Address{}, errors.New("server: the URL must not hold a user name or password: use --user and --password-file")
	case u.Scheme != "http" && u.Scheme != "https":
		return Address{}, fmt.Errorf("server %q: must begin with http://, https:// or unix:/", text)
	case u.Hostname() == "":
		return Address{}, fmt.Errorf("server %q: no host", text)
	case u.RawQuery != "" || u.Fragment != "":
		return Address{}, fmt.Errorf("server %q: a query or fragment has no meaning here", text)
	}
	if u.Path == "" {
		u.Path = "/RPC2"
	}
	return Address{text: u.String(), url: u.String(), plain: u.Scheme == "http" && !loopback(u.Hostname())}, nil
}

// String is the address as a user would write it.
func (a Address) String() string { return a.text }

// Plain says whether what is sent there, the password included, crosses a network
// unencrypted.
func (a Address) Plain() bool { return a.plain }

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// network is what to dial for this address in place of what the URL says.
func (a Address) network(network, addr string) (string, string) {
	if a.socket != "" {
		return "unix", a.socket
	}
	return network, addr
}

// hostPort is the address with the port spelled out, for messages.
func (a Address) hostPort() string {
	if a.socket != "" {
		return a.socket
	}
	u, err := url.Parse(a.url)
	if err != nil {
		return a.text
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
