// SPDX-License-Identifier: GPL-2.0-or-later

package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/auth/passwd"
)

// Limits.
const (
	// DefaultTimeout is how long a login may take when Config does not say.
	DefaultTimeout = 5 * time.Second
	// maxAnswers is how much a server may send in one login, bytes.
	maxAnswers = 1 << 20
	// maxGroups is how many groups of one user are looked at.
	maxGroups = 1000
)

// The backend's name in errors and in the configuration.
const name = "ldap"

// Config configures a Directory. Files are read at each login.
type Config struct {
	// Servers are tried in this order; at least one.
	Servers []Server
	// ServerName is whom the certificate must be for; "" is the host of the server.
	ServerName string
	// CA is a file with the certificates of the authorities to believe; "" stands for the
	// system's.
	CA string
	// Timeout bounds a login in all. 0 is DefaultTimeout.
	Timeout time.Duration

	// UserDN is the name of a user's entry, with {user} in it, for servers on which users may
	// bind and read their own entry. If it is "", the entry is searched for.
	UserDN string
	// BindDN and BindPassword, a file, are who searches. An empty BindDN searches without saying
	// who it is.
	BindDN, BindPassword string
	// Base and Filter, with {user} in it, say where and what to search.
	Base, Filter string
	// NameAttribute is the attribute with the user's name as the rest of the daemon has it.
	NameAttribute string

	// Groups are those that give a role; of several the first counts. GroupBase and GroupFilter,
	// with {dn} or {user} in it, say where and what to search; an empty GroupBase reads the
	// attribute memberOf of the user's entry.
	Groups                 []Group
	GroupBase, GroupFilter string
}

// A Group is one whose members have a role.
type Group struct{ DN, Role string }

// Directory is a backend. It keeps nothing from one login to the next.
type Directory struct{ cfg Config }

var _ auth.Backend = (*Directory)(nil)

// New returns a backend for a Config that Check accepts. It asks no server.
func New(cfg Config) *Directory {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	return &Directory{cfg: cfg}
}

// Login takes a user name and a password.
func (d *Directory) Login(ctx context.Context, req auth.Request) (auth.Identity, error) {
	user, password, err := req.Credentials()
	if err != nil {
		return auth.Identity{}, err
	}
	switch {
	case password == "":
		return auth.Identity{}, auth.Denied("empty password")
	case len(password) > passwd.MaxPassword:
		return auth.Identity{}, auth.Denied("password too long")
	case passwd.CheckName(user) != nil:
		return auth.Identity{}, auth.Denied("no user can have this name")
	}
	short, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	id, err := d.login(short, user, password)
	switch {
	case ctx.Err() != nil: // the client left
		return auth.Identity{}, ctx.Err()
	case err == nil, errors.Is(err, auth.ErrDenied):
		return id, err
	}
	return auth.Identity{}, &auth.DownError{Backend: name, Err: err}
}

func (d *Directory) login(ctx context.Context, user, password string) (auth.Identity, error) {
	c, err := d.connect(ctx)
	if err != nil {
		return auth.Identity{}, err
	}
	defer c.close()
	var e *entry
	if d.cfg.UserDN != "" {
		e, err = d.direct(c, user, password)
	} else {
		e, err = d.search(c, user, password)
	}
	if err != nil {
		return auth.Identity{}, err
	}
	role, err := d.roleOf(c, e)
	return auth.Identity{User: e.user, Role: role}, err
}

// entry is what is known of a user.
type entry struct {
	dn       string
	user     string
	memberOf []string
}

// direct binds as the user and reads his own entry.
func (d *Directory) direct(c *conn, user, password string) (*entry, error) {
	dn := fill(d.cfg.UserDN, "{user}", ldap.EscapeDN(user))
	if err := c.bindUser(dn, password); err != nil {
		return nil, err
	}
	found, err := c.find(request{base: dn, scope: ldap.ScopeBaseObject, filter: "(objectClass=*)", most: 1, attributes: d.attributes()})
	if err != nil || len(found) != 1 {
		return nil, errors.Join(fmt.Errorf("read the user's own entry %q, which he must be allowed to: %d found", dn, len(found)), err)
	}
	return d.entryOf(found[0], user)
}

// search finds the user's entry and binds as it. Of a user who is not there it is tried with
// an entry that does not exist: the client's answer takes the same number of questions.
func (d *Directory) search(c *conn, user, password string) (*entry, error) {
	if err := d.bindSearcher(c); err != nil {
		return nil, err
	}
	found, err := c.find(request{
		base: d.cfg.Base, scope: ldap.ScopeWholeSubtree, most: 2, attributes: d.attributes(),
		filter: fill(d.cfg.Filter, "{user}", ldap.EscapeFilter(user)),
	})
	if err != nil {
		return nil, fmt.Errorf("search for the user: %w", err)
	}
	if len(found) != 1 || found[0].DN == "" {
		_ = c.bindUser("cn="+rand.Text()+","+d.cfg.Base, password)
		if len(found) > 1 {
			return nil, auth.Denied("more than one entry matches the user's name")
		}
		return nil, auth.Denied("unknown user")
	}
	if err := c.bindUser(found[0].DN, password); err != nil {
		return nil, err
	}
	if len(d.cfg.Groups) > 0 && d.cfg.GroupBase != "" {
		if err := d.bindSearcher(c); err != nil {
			return nil, err
		}
	}
	return d.entryOf(found[0], user)
}

func (d *Directory) bindSearcher(c *conn) error {
	if d.cfg.BindDN == "" {
		return c.bindNobody()
	}
	password, err := readSecret(d.cfg.BindPassword)
	if err != nil {
		return err
	}
	if err := c.Bind(d.cfg.BindDN, password); err != nil {
		return fmt.Errorf("bind as %q: %w", d.cfg.BindDN, err)
	}
	return nil
}

func (d *Directory) attributes() []string {
	all := []string{d.cfg.NameAttribute}
	if len(d.cfg.Groups) > 0 && d.cfg.GroupBase == "" {
		all = append(all, "memberOf")
	}
	return all
}

// entryOf takes the user's name from his entry, not from what he typed. Where the entry has
// several, it is the one he typed, letter for letter or in another case.
func (d *Directory) entryOf(e *ldap.Entry, typed string) (*entry, error) {
	names := e.GetEqualFoldAttributeValues(d.cfg.NameAttribute)
	chosen, n := "", 0
	for _, v := range names {
		if len(names) == 1 || strings.EqualFold(v, typed) {
			chosen, n = v, n+1
		}
	}
	if n != 1 {
		return nil, auth.Denied(fmt.Sprintf("entry %q has %d values of %s that could be the user's name", e.DN, n, d.cfg.NameAttribute))
	}
	if err := passwd.CheckName(chosen); err != nil {
		return nil, auth.Denied(fmt.Sprintf("%s of entry %q: %v", d.cfg.NameAttribute, e.DN, err))
	}
	return &entry{dn: e.DN, user: chosen, memberOf: e.GetEqualFoldAttributeValues("memberOf")}, nil
}

// roleOf returns the role of the first group that the user is in, "" if there is none.
func (d *Directory) roleOf(c *conn, e *entry) (string, error) {
	if len(d.cfg.Groups) == 0 {
		return "", nil
	}
	in := e.memberOf
	if d.cfg.GroupBase != "" {
		found, err := c.find(request{
			base: d.cfg.GroupBase, scope: ldap.ScopeWholeSubtree, most: maxGroups, attributes: []string{"1.1"}, // none: RFC 4511, section 4.5.1.8
			filter: fill(d.cfg.GroupFilter, "{dn}", ldap.EscapeFilter(e.dn), "{user}", ldap.EscapeFilter(e.user)),
		})
		if err != nil {
			return "", fmt.Errorf("search for the user's groups: %w", err)
		}
		in = nil
		for _, g := range found {
			in = append(in, g.DN)
		}
	}
	is := make(map[string]bool, len(in))
	for _, dn := range in {
		is[folded(dn)] = true
	}
	for _, g := range d.cfg.Groups {
		if is[folded(g.DN)] {
			return g.Role, nil
		}
	}
	return "", nil
}
