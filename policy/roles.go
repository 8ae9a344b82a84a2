// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"math"
	"slices"
	"strings"
)

// Role is a named set of methods, with the scope in which they see and touch connections.
// The zero value may call only what needs no role.
type Role struct {
	Name string

	base     string   // the role that the methods were taken from, if any
	all      bool     // every method, those of later versions included
	methods  []string // sorted
	scope    *Scope   // nil: everything
	markMask uint32   // bits of the connmark that may be changed
}

// Roles returns the roles that exist without configuration, the least powerful
// first. Their scope is everything.
func Roles() []Role {
	view := viewMethods()
	operate := append(viewMethods(), actMethods()...)
	slices.Sort(view)
	slices.Sort(operate)
	return []Role{
		{Name: "viewer", methods: view},
		{Name: "operator", methods: operate, markMask: math.MaxUint32},
		{Name: "admin", methods: slices.Clone(operate), all: true, markMask: math.MaxUint32},
	}
}

// RoleNamed returns the role of that name of those without configuration; names are exact.
func RoleNamed(name string) (Role, bool) { return RoleSet{}.Named(name) }

// RoleSet has the roles that there are: those that exist without configuration, and those
// of a file. The zero value has the former. It does not change.
type RoleSet struct {
	configured []Role // sorted by name
}

// All returns all roles, those without configuration first.
func (s RoleSet) All() []Role { return append(Roles(), s.configured...) }

// Named returns the role of that name; names are exact.
func (s RoleSet) Named(name string) (Role, bool) {
	for _, r := range s.All() {
		if r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}

// Methods returns the names of all methods that need a role, sorted.
func Methods() []string {
	all := append(viewMethods(), actMethods()...)
	slices.Sort(all)
	return all
}

// NeedsRole reports whether a method is for users with a role only. Not so
// login and introspection: who may call those has not said who he is.
func NeedsRole(method string) bool {
	return method != "login" && !strings.HasPrefix(method, "system.")
}

// Acts reports whether a method kills or changes connections.
func Acts(method string) bool { return slices.Contains(actMethods(), method) }

// NeedsWhole reports whether a method tells of the table as a whole, so that no role with
// a scope may call it.
func NeedsWhole(method string) bool { return method == "stats" }

// May reports whether the role permits to call a method. It says nothing of
// whether that method exists, and system.multicall permits nothing by itself:
// each call inside is a question of its own.
func (r Role) May(method string) bool {
	switch {
	case !NeedsRole(method):
		return true
	case NeedsWhole(method) && !r.scope.Whole():
		return false
	case r.all:
		return true
	}
	_, found := slices.BinarySearch(r.methods, method)
	return found
}

// Methods returns the methods that need a role and that this one permits,
// sorted, for the user to read.
func (r Role) Methods() []string { return slices.Clone(r.methods) }

// Scope returns what exists for the users of the role; nil is everything.
func (r Role) Scope() *Scope { return r.scope }

// MarkMask returns the bits of connmarks that the role may change: no bit that decides what
// is in the scope of any role, if this one has a scope itself. So none of its users can
// move a connection from one scope into another, his own or anybody's.
func (r Role) MarkMask() uint32 { return r.markMask }

func viewMethods() []string {
	return []string{"logout", "whoami", "view", "groups", "refresh", "set_autorefresh", "fields", "stats"}
}

func actMethods() []string {
	return []string{"kill", "change", "kill_report", "kill_matching"}
}

// ownMethods are those that concern nothing but the session that calls them: every
// configured role has them.
func ownMethods() []string { return []string{"logout", "whoami"} }
