// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"nuconntrack/cmd/privilege"

	"github.com/coreos/go-systemd/v22/activation"
)

const (
	network      = "unixpacket"
	socketMode   = 0o660
	folderMode   = 0o750
	socketsUmask = 0o177           // until owner and mode are right
	probeTime    = 2 * time.Second // for a helper that may be there already
)

// listener is the socket, and removes it at the end if it made it.
type listener struct {
	*net.UnixListener
	made bool
}

// openListener takes the first fitting socket that systemd passed, or makes one at path.
// user is whom this process is about to become, peer whom it serves.
func openListener(path string, user, peer privilege.Account) (listener, error) {
	passed, err := activation.Listeners()
	if err != nil {
		return listener{}, fmt.Errorf("take over sockets: %w", err)
	}
	var found *net.UnixListener
	for _, l := range passed {
		if u, ok := l.(*net.UnixListener); ok && found == nil && u.Addr().Network() == network {
			found = u
		} else if l != nil {
			l.Close()
		}
	}
	if found != nil {
		return listener{found, false}, nil
	}
	if len(passed) > 0 {
		return listener{}, configError{errors.New("systemd passed sockets, none of them is a Unix socket of type SOCK_SEQPACKET (ListenSequentialPacket=)")}
	}
	return makeListener(path, user, peer)
}

// makeListener makes the socket and, where it is missing, the folder it stands in.
func makeListener(path string, user, peer privilege.Account) (listener, error) {
	if err := makeFolder(filepath.Dir(path), user, peer); err != nil {
		return listener{}, err
	}
	if err := removeStale(path); err != nil {
		return listener{}, err
	}
	umask := syscall.Umask(socketsUmask)
	l, err := net.ListenUnix(network, &net.UnixAddr{Name: path, Net: network})
	syscall.Umask(umask)
	if err != nil {
		return listener{}, fmt.Errorf("make socket: %w", err)
	}
	if err := handToGroup(path, -1, peer, socketMode); err != nil {
		l.Close()
		return listener{}, fmt.Errorf("make socket: %w", err)
	}
	return listener{l, true}, nil
}

// makeFolder makes the socket's folder, if the one above it is there. It belongs to the
// user that this process becomes, who else could not remove the socket.
func makeFolder(path string, user, peer privilege.Account) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make folder of the socket: %w", err)
	}
	owner := -1
	if user.Name != privilege.Self {
		owner = int(user.UID)
	}
	if err := handToGroup(path, owner, peer, folderMode); err != nil {
		return fmt.Errorf("make folder of the socket: %w", err)
	}
	return nil
}

// handToGroup gives a file to the peer's group, which only root can, and then opens it
// to that group.
func handToGroup(path string, owner int, peer privilege.Account, mode fs.FileMode) error {
	group := -1
	if peer.Listed && os.Geteuid() == 0 && !privilege.SingleUID() {
		group = int(peer.GID)
	}
	if owner != -1 || group != -1 {
		if err := os.Chown(path, owner, group); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode)
}

// removeStale removes a socket that nobody listens on any more. Anything else in its
// place is left alone, and is an error.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make socket: %w", err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return configError{fmt.Errorf("make socket: %s is there, and is no socket", path)}
	}
	conn, err := net.DialTimeout(network, path, probeTime)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("make socket: %s is in use by another process", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	return nil
}
