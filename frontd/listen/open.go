// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// unixMode lets the socket's owner and group in. Who else may come is for the folder and
	// the group to say.
	unixMode = 0o660
	// probeTimeout is how long to wait for an answer on a socket found in the way. Connecting
	// to a Unix socket never takes time but for a full queue, which is a sign of life.
	probeTimeout = time.Second
)

// Config configures Open.
type Config struct {
	// Addresses are where to listen for calls if systemd passed no socket for them; else they are
	// not used. Metrics are the same for who monitors the daemon, not used if systemd passed
	// any socket: a service that gets its sockets so can open none that others reach.
	Addresses, Metrics []Address
	// Check, if not nil, is asked about the address of every socket for calls, systemd's too, and
	// whether it is to be plain. Its error ends Open.
	Check func(addr net.Addr, plain bool) error
	// Log is told of what was opened. nil: nothing is logged.
	Log *slog.Logger
}

// A Listener is a socket that accepts connections.
type Listener struct {
	net.Listener
	// Name says what is served on it: RPC or Metrics.
	Name string
	// Plain says that TLS is not spoken on it, whatever is spoken on others.
	Plain bool
	// Passed says that it came from systemd. Its path, if it is a Unix socket, is systemd's, too.
	Passed bool
}

// Open returns the sockets to serve, at least one. Those of systemd go before the addresses
// of cfg. It takes the variables LISTEN_* out of the environment, so only the first call finds
// systemd's. On an error nothing stays open.
func Open(ctx context.Context, cfg Config) ([]Listener, error) {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	listeners, err := passed()
	if err != nil {
		return nil, err
	}
	if listeners, err = complete(ctx, cfg, listeners, log); err != nil {
		return nil, err
	}
	for _, l := range listeners {
		if cfg.Check != nil && l.Name == RPC {
			if err := cfg.Check(l.Addr(), l.Plain); err != nil {
				return nil, errors.Join(fmt.Errorf("listen on %s: %w", l.Addr(), err), closeAll(listeners))
			}
		}
		log.Info("listening", "address", l.Addr().String(), "network", l.Addr().Network(),
			"name", l.Name, "from_systemd", l.Passed)
	}
	return listeners, nil
}

// complete opens what systemd did not pass.
func complete(ctx context.Context, cfg Config, passed []Listener, log *slog.Logger) ([]Listener, error) {
	named := func(name string) bool {
		return slices.ContainsFunc(passed, func(l Listener) bool { return l.Name == name })
	}
	all := passed
	if !named(RPC) {
		made, err := create(ctx, cfg.Addresses, RPC, log)
		if err != nil {
			return nil, errors.Join(err, closeAll(passed))
		}
		all = append(all, made...)
	}
	switch {
	case len(cfg.Metrics) == 0 || named(Metrics):
	case len(passed) > 0:
		log.Warn("metrics.listen is not used, since systemd passes the sockets: enable nuconntrack-frontd-metrics.socket")
	default:
		made, err := create(ctx, cfg.Metrics, Metrics, log)
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, made...)
	}
	return all, nil
}

func closeAll(listeners []Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

func create(ctx context.Context, addresses []Address, name string, log *slog.Logger) ([]Listener, error) {
	if len(addresses) == 0 {
		return nil, errors.New("listen: no address given, and no socket from systemd")
	}
	var listeners []Listener
	for _, a := range addresses {
		l, err := createOne(ctx, a, log)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", a, err), closeAll(listeners))
		}
		listeners = append(listeners, Listener{Listener: l, Name: name, Plain: a.Plain})
	}
	return listeners, nil
}

func createOne(ctx context.Context, a Address, log *slog.Logger) (net.Listener, error) {
	if a.Unix != "" {
		return createUnix(ctx, a.Unix, log)
	}
	// With plain "tcp" Go takes 0.0.0.0 for every IPv6 address as well.
	network := "tcp6"
	if a.TCP.Addr().Is4() {
		network = "tcp4"
	}
	var lc net.ListenConfig
	// Multipath TCP is outside of Landlock's rules: a connection that was accepted by it could
	// be turned around and connected elsewhere.
	lc.SetMultipathTCP(false)
	return lc.Listen(ctx, network, a.TCP.String())
}

func createUnix(ctx context.Context, path string, log *slog.Logger) (net.Listener, error) {
	if err := removeStale(ctx, path, log); err != nil {
		return nil, err
	}
	// The mode a socket has before bind(2) bounds the one that its path gets (unix_bind in
	// net/unix/af_unix.c): at no time is it open to more than it should be.
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), unixMode) }), err)
	}}
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, unixMode); err != nil { // what the umask took away
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes a socket that a process left behind. It is stale only if the kernel says that
// nobody listens on it; whatever else is in the way stays there.
func removeStale(ctx context.Context, path string, log *slog.Logger) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("something that is not a socket has this path")
	}
	dialer := net.Dialer{Timeout: probeTimeout}
	conn, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return errors.Join(errors.New("another process listens there"), conn.Close())
	case !errors.Is(err, unix.ECONNREFUSED):
		return fmt.Errorf("find out whether another process listens there: %w", err)
	}
	log.Info("removing a socket that nobody listens on", "path", path)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
