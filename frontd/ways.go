// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"strconv"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/auth/directory"
	"nuconntrack/frontd/certs"
	"nuconntrack/frontd/config"
	"nuconntrack/policy"
)

// How many logins a directory is asked about at the same time, and how many more wait.
const (
	directoryWorkers = 8
	directoryQueue   = 32
)

// backend makes the backend that a valid configuration names, and what stands around it.
func backend(set *config.Config, accounts *auth.Accounts, log *slog.Logger) (auth.Backend, error) {
	var way auth.Backend
	switch set.Auth.Backend {
	case config.BackendNone:
		return auth.None{}, nil
	case config.BackendFile:
		path, err := config.Path(set.Auth.File)
		if err != nil {
			return nil, err
		}
		file := auth.NewFile(auth.FileConfig{Path: path, LegacySHA: set.Auth.LegacySHA, Log: log})
		if err := file.Check(); err != nil {
			log.Warn("nobody can log in before this is mended", "file", path, "error", err)
		}
		way = auth.NewGuard(auth.GuardConfig{Backend: file, Log: log})
	case config.BackendLDAP:
		ldap, err := ldapBackend(set)
		if err != nil {
			return nil, err
		}
		way = auth.NewGuard(auth.GuardConfig{Backend: auth.NewQueue(ldap, directoryWorkers, directoryQueue), Log: log})
	case config.BackendProxy:
		way = auth.NewProxy(auth.ProxyConfig{Trust: set.Proxy.Trust, Header: set.Proxy.UserHeader})
	case config.BackendTLS:
		way = auth.NewCertificate(set.Auth.Certificate)
	}
	if set.Auth.Local == nil {
		return way, nil
	}
	return local(set, way, accounts, log)
}

func ldapBackend(set *config.Config) (auth.Backend, error) {
	cfg := set.Auth.LDAP
	for _, file := range []*string{&cfg.CA, &cfg.BindPassword} {
		path, err := config.Path(*file)
		if err != nil {
			return nil, err
		}
		*file = path
	}
	if cfg.CA == "" {
		// Once read they are kept, and the sandbox leaves nothing to read them from.
		if _, err := x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("read the system's certificate authorities: %w", err)
		}
	}
	return named{directory.New(cfg), set.Auth.Roles}, nil
}

// named leaves the roles of users whom the configuration names to it, whatever groups they are
// in.
type named struct {
	auth.Backend
	roles map[string]policy.Role
}

// Login asks the backend.
func (n named) Login(ctx context.Context, req auth.Request) (auth.Identity, error) {
	id, err := n.Backend.Login(ctx, req)
	if _, ok := n.roles[id.User]; ok && err == nil {
		id.Role = ""
	}
	return id, err
}

// local lets users of this machine in, and asks way about everybody else.
func local(set *config.Config, way auth.Backend, accounts *auth.Accounts, log *slog.Logger) (auth.Backend, error) {
	cfg := auth.LocalConfig{Users: map[uint32]string{}, Names: accounts.Users, Next: way, Header: set.Proxy.UserHeader}
	for user, role := range set.Auth.Local.Users {
		uid, ok := number(user)
		if !ok {
			uid, ok = accounts.UID(user)
		}
		if other, twice := cfg.Users[uid]; ok && twice && other != role.Name {
			return nil, fmt.Errorf("[auth.local] gives uid %d two roles, %s and %s", uid, other, role.Name)
		}
		if !ok {
			log.Warn("[auth.local] names a user whom this machine does not know", "user", user)
			continue
		}
		cfg.Users[uid] = role.Name
	}
	for _, g := range set.Auth.Local.Groups {
		gid, ok := number(g.Group)
		if !ok {
			gid, ok = accounts.Groups[g.Group]
		}
		if !ok {
			log.Warn("[auth.local] names a group that this machine does not know", "group", g.Group)
			continue
		}
		cfg.Groups = append(cfg.Groups, auth.LocalGroup{GID: gid, Role: g.Role.Name})
	}
	return auth.NewLocal(cfg), nil
}

func number(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

// certificates reads what TLS needs, if it is spoken.
func certificates(set *config.Config, log *slog.Logger) (*certs.Store, error) {
	if set.TLS == nil {
		return nil, nil
	}
	cfg := certs.Config{Cert: set.TLS.Cert, Key: set.TLS.Key, ClientCA: set.TLS.ClientCA, MinVersion: set.TLS.MinVersion, Log: log}
	for _, file := range []*string{&cfg.Cert, &cfg.Key, &cfg.ClientCA} {
		path, err := config.Path(*file)
		if err != nil {
			return nil, err
		}
		*file = path
	}
	store, err := certs.Open(cfg)
	if err != nil {
		return nil, fmt.Errorf("[tls]: %w", err)
	}
	return store, nil
}
