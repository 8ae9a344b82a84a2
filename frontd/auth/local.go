// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"slices"
	"strconv"

	"nuconntrack/frontd/auth/passwd"
)

// OverflowID is the uid and gid that the kernel shows for those whom a user namespace does not
// know (/proc/sys/kernel/overflowuid, which nobody changes). It may be anybody, and is nobody
// here.
const OverflowID = 65534

// LocalConfig configures a Local.
type LocalConfig struct {
	// Users are the roles of users by uid, Groups those of groups; of several groups the first
	// counts. OverflowID has none.
	Users  map[uint32]string
	Groups []LocalGroup
	// Names are the names of users by uid. Others are called #uid.
	Names map[uint32]string
	// Next is asked about logins with a user name or password, about those over the network,
	// and about those that have Header. nil: nobody is asked, and arguments do not
	// count.
	Next Backend
	// Header is one that a proxy on a Unix socket adds for its own users; "" for none.
	Header string
}

// A LocalGroup is a group whose members have a role.
type LocalGroup struct {
	GID  uint32
	Role string
}

// Local logs in users of this machine who come over a Unix socket, by what the kernel says who
// they are. They need no password: login() without arguments, or with empty ones.
type Local struct{ cfg LocalConfig }

var _ Backend = (*Local)(nil)

// NewLocal returns a backend.
func NewLocal(cfg LocalConfig) *Local { return &Local{cfg: cfg} }

// Login lets somebody in as himself.
func (l *Local) Login(ctx context.Context, req Request) (Identity, error) {
	// A proxy at the socket that names its client speaks for somebody else.
	local := req.Unix && !req.Client.IsValid()
	proxied := l.cfg.Header != "" && len(req.Header.Values(l.cfg.Header)) > 0
	if l.cfg.Next != nil && (!local || !silent(req.Args) || proxied) {
		return l.cfg.Next.Login(ctx, req)
	}
	switch {
	case !local:
		return Identity{}, denied("not over a Unix socket")
	case req.Peer == nil:
		return Identity{}, denied("the kernel does not say who is at the other end")
	case req.Peer.UID == OverflowID:
		return Identity{}, denied("the user is of another user namespace than the daemon (PrivateUsers=yes of the service hides all others)")
	}
	role := l.roleOf(req.Peer)
	if role == "" {
		return Identity{}, denied("uid " + strconv.Itoa(int(req.Peer.UID)) + " and its groups have no role in [auth.local]")
	}
	return Identity{User: l.name(req.Peer.UID), Role: role}, nil
}

func (l *Local) roleOf(p *Peer) string {
	if role, ok := l.cfg.Users[p.UID]; ok {
		return role
	}
	for _, g := range l.cfg.Groups {
		if g.GID != OverflowID && slices.Contains(p.Groups, g.GID) {
			return g.Role
		}
	}
	return ""
}

// name is how logs and the audit call a user.
func (l *Local) name(uid uint32) string {
	if name, ok := l.cfg.Names[uid]; ok && passwd.CheckName(name) == nil {
		return name
	}
	return "#" + strconv.FormatUint(uint64(uid), 10)
}

// silent reports whether a login says neither who nor what.
func silent(args []any) bool {
	for _, a := range args {
		if s, ok := a.(string); !ok || s != "" {
			return false
		}
	}
	return true
}
