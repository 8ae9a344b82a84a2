// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// RPC is the name (FileDescriptorName= of systemd.socket(5)) of sockets for calls, RPCPlain that of
// those for calls without TLS, though it is spoken elsewhere, Metrics that of those for who
// monitors the daemon, on which TLS is never spoken.
const (
	RPC      = "rpc"
	RPCPlain = "rpc-plain"
	Metrics  = "metrics"
)

// maxPassed bounds how many sockets systemd may pass.
const maxPassed = 64

// passed returns the sockets that systemd passed to this very process, if any. Everything
// that is passed has to be understood: a socket left alone would take connections that nobody
// serves.
func passed() ([]Listener, error) {
	defer func() {
		for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
			_ = os.Unsetenv(name) // fails for no valid name
		}
	}()
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	count := os.Getenv("LISTEN_FDS")
	if n, err := strconv.Atoi(count); err != nil || n < 0 || n > maxPassed {
		return nil, fmt.Errorf("take sockets from systemd: LISTEN_FDS is %q, want 0 to %d", count, maxPassed)
	}
	files := activation.Files(true)
	var listeners []Listener
	var errs []error
	for _, f := range files {
		l, err := fromFile(f, len(files) == 1)
		if err != nil {
			errs = append(errs, fmt.Errorf("take descriptor %d from systemd: %w", f.Fd(), err))
			continue
		}
		listeners = append(listeners, l)
	}
	for _, f := range files {
		// What became a listener is a duplicate.
		if err := f.Close(); err != nil && len(errs) == 0 {
			errs = append(errs, fmt.Errorf("close descriptor of systemd: %w", err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, closeAll(listeners))...)
	}
	return listeners, nil
}

func fromFile(f *os.File, only bool) (Listener, error) {
	name, plain := RPC, f.Name() == RPCPlain
	switch {
	case f.Name() == Metrics:
		name, plain = Metrics, true
	case f.Name() != RPC && !plain && (!only || !unnamed(f)):
		return Listener{}, fmt.Errorf("its name is %q; served here are FileDescriptorName=%s, %s and %s", f.Name(), RPC, RPCPlain, Metrics)
	}
	fd := int(f.Fd())
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return Listener{}, fmt.Errorf("ask for its type: %w", err)
	}
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return Listener{}, fmt.Errorf("ask whether it listens: %w", err)
	}
	if kind != unix.SOCK_STREAM || listening == 0 {
		return Listener{}, errors.New("not a listening stream socket; want ListenStream= and Accept=no")
	}
	l, err := net.FileListener(f)
	if err != nil {
		return Listener{}, err
	}
	return Listener{Listener: l, Name: name, Plain: plain, Passed: true}, nil
}

// unnamed reports whether the descriptor has no name that somebody chose: none at all (go-systemd
// makes one up), that of sd_listen_fds_with_names(3) for none, or the unit's own, which
// systemd gives to sockets without FileDescriptorName=.
func unnamed(f *os.File) bool {
	name := f.Name()
	return name == "LISTEN_FD_"+strconv.Itoa(int(f.Fd())) || name == "unknown" || strings.HasSuffix(name, ".socket")
}
