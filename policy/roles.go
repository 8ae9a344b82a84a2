// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"slices"
	"strings"
)

// Role is a named set of methods. The zero value may call only what needs no
// role.
type Role struct {
	Name string

	all     bool     // every method, those of later versions included
	methods []string // sorted
}

// Roles returns the roles that exist without configuration, the least powerful
// first.
func Roles() []Role {
	view := viewMethods()
	operate := append(viewMethods(), actMethods()...)
	slices.Sort(view)
	slices.Sort(operate)
	return []Role{
		{Name: "viewer", methods: view},
		{Name: "operator", methods: operate},
		{Name: "admin", methods: slices.Clone(operate), all: true},
	}
}

// RoleNamed returns the role of that name; names are exact.
func RoleNamed(name string) (Role, bool) {
	for _, r := range Roles() {
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

// May reports whether the role permits to call a method. It says nothing of
// whether that method exists, and system.multicall permits nothing by itself:
// each call inside is a question of its own.
func (r Role) May(method string) bool {
	if r.all || !NeedsRole(method) {
		return true
	}
	_, found := slices.BinarySearch(r.methods, method)
	return found
}

// Methods returns the methods that need a role and that this one permits,
// sorted, for the user to read.
func (r Role) Methods() []string { return slices.Clone(r.methods) }

func viewMethods() []string {
	return []string{"logout", "whoami", "view", "refresh", "set_autorefresh", "fields", "stats"}
}

func actMethods() []string {
	return []string{"kill", "change", "kill_report", "kill_matching"}
}
