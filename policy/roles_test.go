// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"slices"
	"testing"
)

func TestRolesMatrix(t *testing.T) {
	// One line a method: who may call it, of nobody, viewer, operator, admin.
	matrix := map[string][4]bool{
		"login":                   {true, true, true, true},
		"system.listMethods":      {true, true, true, true},
		"system.methodHelp":       {true, true, true, true},
		"system.methodSignature":  {true, true, true, true},
		"system.getCapabilities":  {true, true, true, true},
		"system.multicall":        {true, true, true, true},
		"logout":                  {false, true, true, true},
		"whoami":                  {false, true, true, true},
		"view":                    {false, true, true, true},
		"groups":                  {false, true, true, true},
		"refresh":                 {false, true, true, true},
		"set_autorefresh":         {false, true, true, true},
		"fields":                  {false, true, true, true},
		"stats":                   {false, true, true, true},
		"kill":                    {false, false, true, true},
		"change":                  {false, false, true, true},
		"kill_report":             {false, false, true, true},
		"kill_matching":           {false, false, true, true},
		"a method of a later day": {false, false, false, true},
		"":                        {false, false, false, true},
		"View":                    {false, false, false, true},
		"systemview":              {false, false, false, true},
		"view ":                   {false, false, false, true},
	}
	roles := append([]Role{{}}, Roles()...)
	if len(roles) != 4 {
		t.Fatalf("%d roles", len(roles))
	}
	for method, may := range matrix {
		for i, role := range roles {
			if got := role.May(method); got != may[i] {
				t.Errorf("%q may call %q: %t, want %t", role.Name, method, got, may[i])
			}
		}
	}
	for _, method := range Methods() {
		if _, ok := matrix[method]; !ok || !NeedsRole(method) {
			t.Errorf("method %q is not in the matrix, or needs no role", method)
		}
	}
	if n := len(Methods()); n != 12 {
		t.Errorf("%d methods", n)
	}
}

func TestRoleMethods(t *testing.T) {
	for _, role := range Roles() {
		methods := role.Methods()
		if !slices.IsSorted(methods) || len(methods) == 0 {
			t.Errorf("%s: %v", role.Name, methods)
		}
		for _, m := range Methods() {
			if slices.Contains(methods, m) != role.May(m) {
				t.Errorf("%s tells of %s other than it may", role.Name, m)
			}
		}
		methods[0] = "kill"
		if again, _ := RoleNamed(role.Name); again.Methods()[0] == "kill" || role.Methods()[0] == "kill" {
			t.Errorf("%s was changed through its list", role.Name)
		}
	}
}

func TestRoleNamed(t *testing.T) {
	for _, name := range []string{"viewer", "operator", "admin"} {
		if r, ok := RoleNamed(name); !ok || r.Name != name {
			t.Errorf("%s: %+v, %t", name, r, ok)
		}
	}
	for _, name := range []string{"", "root", "Admin", "admin ", "viewer\x00"} {
		if r, ok := RoleNamed(name); ok || r.May("view") {
			t.Errorf("%q: %+v, %t", name, r, ok)
		}
	}
}
