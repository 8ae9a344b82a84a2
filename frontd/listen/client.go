// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxPeerGroups is how many groups a process can have (NGROUPS_MAX of limits.h).
const maxPeerGroups = 65536

// A Peer is the process at the other end of a Unix socket as it was when it connected
// (SO_PEERCRED of unix(7)). Ids of another user namespace show as the overflow ids, a process of
// another pid namespace as 0. The pid is for logs: it may belong to another process by now.
type Peer struct {
	UID, GID uint32
	PID      int32
}

// A Client is who is at the other end of a connection, as the kernel has it. A client behind a
// proxy is the proxy.
type Client struct {
	// Addr is the other end's address and port, never IPv4 mapped to IPv6; zero on a Unix socket.
	Addr netip.AddrPort
	// Unix says that the connection came over a Unix socket.
	Unix bool
	// Peer is set on Unix sockets if PeerKnown.
	Peer      Peer
	PeerKnown bool
	// Local says that the connection did not come from the network: over a Unix socket, or to
	// a loopback address.
	Local bool
}

// String returns what logs and the audit call the client: its address without the port, or
// "unix:uid=1000,pid=77".
func (c Client) String() string {
	switch {
	case c.Unix && c.PeerKnown:
		return fmt.Sprintf("unix:uid=%d,pid=%d", c.Peer.UID, c.Peer.PID)
	case c.Unix:
		return "unix:unknown"
	case c.Addr.IsValid():
		return c.Addr.Addr().String()
	}
	return "unknown"
}

// netConner is what wraps a connection, such as *tls.Conn.
type netConner interface{ NetConn() net.Conn }

// unwrap returns the innermost connection, or the one that a Gate counts.
func unwrap(c net.Conn) net.Conn {
	for {
		wrapper, ok := c.(netConner)
		if !ok {
			return c
		}
		c = wrapper.NetConn()
	}
}

// ClientOf says who is at the other end of c, or of the connection that c wraps.
func ClientOf(c net.Conn) Client {
	switch c := unwrap(c).(type) {
	case *conn:
		return c.client
	case *net.UnixConn:
		client := Client{Unix: true, Local: true}
		client.Peer, client.PeerKnown = peerOf(c)
		return client
	default:
		client := Client{Local: Local(c.LocalAddr())}
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			ap := a.AddrPort()
			client.Addr = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
		}
		return client
	}
}

func peerOf(c syscall.Conn) (Peer, bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, false
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || credErr != nil {
		return Peer{}, false
	}
	return Peer{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid}, true
}

// PeerGroups returns the groups of the process at the other end of the Unix socket that the
// request of ctx came over, without the one that Peer has (SO_PEERGROUPS of unix(7)). It is nil
// elsewhere, and where the kernel does not tell.
func PeerGroups(ctx context.Context) []uint32 {
	s, _ := ctx.Value(contextKey{}).(stored)
	if s.conn == nil {
		return nil
	}
	c, ok := s.conn.Conn.(*net.UnixConn)
	if !ok {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	var groups []uint32
	if err := raw.Control(func(fd uintptr) { groups = groupsOf(fd) }); err != nil {
		return nil
	}
	return groups
}

func groupsOf(fd uintptr) []uint32 {
	all := make([]uint32, maxPeerGroups)
	size := uint32(len(all) * int(unsafe.Sizeof(all[0]))) // socklen_t
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
		uintptr(unsafe.Pointer(&all[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return nil
	}
	return all[:int(size)/int(unsafe.Sizeof(all[0]))]
}

// contextKey is the key of what ConnContext stores.
type contextKey struct{}

// ConnContext is for http.Server.ConnContext: requests of c know their connection by it.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, contextKey{}, stored{client: ClientOf(c), conn: gated(c)})
}

type stored struct {
	client Client
	conn   *conn // nil if no Gate has accepted it
}

// From returns the client whose request ctx belongs to. Without ConnContext it is not known.
func From(ctx context.Context) (Client, bool) {
	s, ok := ctx.Value(contextKey{}).(stored)
	return s.client, ok
}
