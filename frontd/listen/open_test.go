// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func unixAt(path string) Config { return Config{Addresses: []Address{{Unix: path}}} }

func tcpAt(s string) Address { return Address{TCP: netip.MustParseAddrPort(s)} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, cfg Config) []Listener {
	t.Helper()
	listeners, err := Open(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { _ = closeAll(listeners) })
	return listeners
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var log bytes.Buffer
	listeners := open(t, Config{
		Addresses: []Address{tcpAt("127.0.0.1:0"), tcpAt("[::1]:0"), {Unix: path}},
		Log:       slog.New(slog.NewTextHandler(&log, nil)),
	})
	if len(listeners) != 3 {
		t.Fatalf("%d listeners", len(listeners))
	}
	for _, l := range listeners {
		if l.Name != RPC || l.Passed {
			t.Errorf("%s: %+v", l.Addr(), l)
		}
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		must(t, err)
		c.Close()
		if !strings.Contains(log.String(), l.Addr().String()) {
			t.Errorf("%s is not in the log", l.Addr())
		}
	}
}

// TestWildcardsAreOneFamily keeps 0.0.0.0 from opening IPv6 as well: both can be had on one port.
func TestWildcardsAreOneFamily(t *testing.T) {
	var err error
	for range 20 { // a port that is free in IPv4 may be somebody else's in IPv6
		four := open(t, Config{Addresses: []Address{tcpAt("0.0.0.0:0")}})[0]
		port := netip.MustParseAddrPort(four.Addr().String()).Port()
		six := Address{TCP: netip.AddrPortFrom(netip.IPv6Unspecified(), port)}
		var listeners []Listener
		if listeners, err = Open(t.Context(), Config{Addresses: []Address{six}}); err == nil {
			must(t, closeAll(listeners))
			return
		}
	}
	t.Error(err)
}

func TestUnixMode(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		old := unix.Umask(umask)
		path := filepath.Join(t.TempDir(), "s")
		listeners, err := Open(t.Context(), unixAt(path))
		unix.Umask(old)
		must(t, err)
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != 0o660 {
			t.Errorf("umask %#o: mode %#o", umask, info.Mode().Perm())
		}
		must(t, closeAll(listeners))
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("umask %#o: the socket is there after Close: %v", umask, err)
		}
	}
}

// leaveBehind makes a socket that nobody listens on, as a killed process does.
func leaveBehind(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	must(t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, l.Close())
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	leaveBehind(t, path)
	open(t, unixAt(path))
	c, err := net.Dial("unix", path)
	must(t, err)
	c.Close()
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		cfg  func(t *testing.T, path string) Config
		want string
		kept bool // what was at path is still there
	}{
		"no address": {func(*testing.T, string) Config { return Config{} }, "no address", false},
		"somebody listens": {func(t *testing.T, path string) Config {
			l, err := net.Listen("unix", path)
			must(t, err)
			t.Cleanup(func() { l.Close() })
			return unixAt(path)
		}, "another process", true},
		"somebody of another kind listens": {func(t *testing.T, path string) Config {
			l, err := net.Listen("unixpacket", path)
			must(t, err)
			t.Cleanup(func() { l.Close() })
			return unixAt(path)
		}, "find out", true},
		"file": {func(t *testing.T, path string) Config {
			must(t, os.WriteFile(path, []byte("precious"), 0o600))
			return unixAt(path)
		}, "not a socket", true},
		"folder": {func(t *testing.T, path string) Config {
			must(t, os.Mkdir(path, 0o700))
			return unixAt(path)
		}, "not a socket", true},
		"link to a stale socket": {func(t *testing.T, path string) Config {
			leaveBehind(t, path+"2")
			must(t, os.Symlink(path+"2", path))
			return unixAt(path)
		}, "not a socket", true},
		"no such folder": {func(_ *testing.T, path string) Config { return unixAt(path + "/a/b") }, "no such file", false},
		"address of nobody": {func(*testing.T, string) Config {
			return Config{Addresses: []Address{tcpAt("192.0.2.1:0")}}
		}, "192.0.2.1", false},
		"second one taken": {func(_ *testing.T, path string) Config {
			return Config{Addresses: []Address{{Unix: path}, tcpAt("192.0.2.1:0")}}
		}, "192.0.2.1", false},
		"refused by the configuration": {func(_ *testing.T, path string) Config {
			cfg := unixAt(path)
			cfg.Check = func(net.Addr, bool) error { return errors.New("never") }
			return cfg
		}, "never", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			listeners, err := Open(t.Context(), test.cfg(t, path))
			if err == nil || listeners != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v and error %v, want %q", listeners, err, test.want)
			}
			if _, err := os.Lstat(path); (err == nil) != test.kept {
				t.Errorf("at the path afterwards: %v", err)
			}
		})
	}
}
