// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// MaxUnixPath is the length in bytes of the longest path a Unix socket can have
// (unix(7): sun_path, with its final NUL).
const MaxUnixPath = 107

// unixPrefix marks an address as that of a Unix socket, plainPrefix one on which TLS is not
// spoken though it is elsewhere.
const (
	unixPrefix  = "unix:"
	plainPrefix = "plain:"
)

// An Address is where to listen. Either TCP or Unix is set.
type Address struct {
	// TCP is an IP address and port; port 0 lets the kernel choose one. 0.0.0.0 stands for
	// every IPv4 address, :: for every IPv6 address and no IPv4 one.
	TCP netip.AddrPort
	// Unix is the absolute path of a Unix socket.
	Unix string
	// Plain says that TLS is not spoken there; false for Unix sockets, where it never is.
	Plain bool
}

// ParseAddress reads "192.0.2.1:8580", "[2001:db8::1]:8580", the same with "plain:" before it, or
// "unix:/path". Names are refused: what they stand for can change behind the administrator's back, from loopback to
// the whole world.
func ParseAddress(s string) (Address, error) {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		if err := CheckUnixPath(path); err != nil {
			return Address{}, err
		}
		return Address{Unix: path}, nil
	}
	s, plain := strings.CutPrefix(s, plainPrefix)
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return Address{}, explain(s)
	}
	return Address{TCP: netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), Plain: plain}, nil
}

// CheckUnixPath says why a path cannot be that of a Unix socket here. Abstract sockets
// (@name) are refused: no permissions keep other users from them.
func CheckUnixPath(path string) error {
	switch {
	case path == "":
		return errors.New("the path is empty")
	case !filepath.IsAbs(path):
		return errors.New("the path does not begin with /")
	case strings.ContainsRune(path, 0):
		return errors.New("the path contains a NUL")
	case len(path) > MaxUnixPath:
		return fmt.Errorf("the path has %d bytes; a socket's can have %d", len(path), MaxUnixPath)
	case path != filepath.Clean(path):
		return fmt.Errorf("the path is not in its shortest form, %q", filepath.Clean(path))
	}
	return nil
}

// explain says what is most likely wrong with a TCP address.
func explain(s string) error {
	want := errors.New(`want "ip:port", "[ipv6]:port" or "unix:/path"`)
	if strings.HasPrefix(s, "/") {
		return fmt.Errorf("%w; a path wants \"unix:\" before it", want)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if addr, err := netip.ParseAddr(s); err == nil && (addr.Is4() || strings.Contains(s, "::")) {
			return fmt.Errorf("%w; the port is missing", want)
		}
		return want
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%w; a port is a number, 0 to 65535", want)
	}
	switch {
	case host == "":
		return fmt.Errorf("%w; every address is 0.0.0.0 for IPv4 and [::] for IPv6", want)
	case host == "localhost":
		return fmt.Errorf("%w; names are not looked up, localhost is 127.0.0.1 or [::1]", want)
	}
	return fmt.Errorf("%w; names are not looked up", want)
}

// String returns the address as ParseAddress reads it.
func (a Address) String() string {
	if a.Unix != "" {
		return unixPrefix + a.Unix
	}
	if a.Plain {
		return plainPrefix + a.TCP.String()
	}
	return a.TCP.String()
}

// Net returns the address as the net package has it, for Local.
func (a Address) Net() net.Addr {
	if a.Unix != "" {
		return &net.UnixAddr{Name: a.Unix, Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(a.TCP)
}

// Local reports whether only this machine can reach the address: that of a Unix socket, or of
// loopback. Addresses of any other kind are not local.
func Local(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	}
	return false
}
