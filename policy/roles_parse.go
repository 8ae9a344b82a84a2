// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"nuconntrack/policy/strict"
)

// Limits of configured roles.
const (
	maxRoles    = 1000
	maxMarks    = 1000 // of one role
	maxNetworks = maxListed
)

// ReadRoles reads the roles below [roles] of a configuration file; root.Err has the mistakes. With
// one, of whatever key, the roles permit nothing. Each is a table:
//
//	[roles.NAME]
//	base      = "operator"            # viewer, operator or admin; or instead of it
//	methods   = ["view", "kill"]      # their names; logout and whoami come by themselves
//	networks  = ["192.0.2.0/24"]      # the scope, each list of which may be left out
//	zones     = [1, 2]
//	marks     = ["0x10/0xf0"]         # value/mask, or a value alone for all bits
//	mark_mask = "0xff00"              # bits that change may change
//
// mark_mask is by default all bits for a role without a scope, and for one with a scope all
// those that stand in no mask of marks, of any role; others are refused there.
func ReadRoles(root strict.Table) RoleSet {
	t := root.Table("roles")
	names := t.Keys()
	if len(names) > maxRoles {
		root.Fail("roles", "more than %d roles", maxRoles)
		return RoleSet{}
	}
	var set RoleSet
	networks := 0
	for _, name := range names {
		r := readRole(t, name)
		if r.scope != nil {
			networks += len(r.scope.networks)
		}
		if networks > maxNetworks {
			t.Table(name).Fail("networks", "more than %d networks in all roles together", maxNetworks)
		}
		set.configured = append(set.configured, r)
	}
	set.readMasks(t)
	if root.Err() != nil {
		// Their names are known still: to name one is no mistake as well.
		for i, r := range set.configured {
			set.configured[i] = Role{Name: r.Name}
		}
	}
	return set
}

func readRole(roles strict.Table, name string) Role {
	t := roles.Table(name)
	switch {
	case !validName(name):
		roles.Fail(name, "%s is not a name: 1 to %d of A-Z a-z 0-9 . _ -", strict.Quote(name), maxNameLength)
	case slices.ContainsFunc(Roles(), func(r Role) bool { return strings.EqualFold(r.Name, name) }):
		roles.Fail(name, "viewer, operator and admin exist by themselves and cannot be made anew; take another name")
	}
	t.Only("base", "methods", "networks", "zones", "marks", "mark_mask")
	r := Role{Name: name, scope: newScope(parsePrefixes(t, "networks"), zonesOf(t), readMarks(t))}
	switch {
	case t.Has("base") == t.Has("methods"):
		t.Fail("", "the role %s needs either base, a role to take the methods of, or methods", strict.Quote(name))
	case t.Has("base"):
		r.readBase(t)
	default:
		r.readMethods(t)
	}
	slices.Sort(r.methods)
	r.methods = slices.Compact(r.methods)
	return r
}

func (r *Role) readBase(t strict.Table) {
	r.base = t.Text("base")
	base, ok := RoleNamed(r.base)
	if !ok {
		t.Fail("base", "%s is none of viewer, operator, admin", strict.Quote(r.base))
	}
	r.all = base.all
	r.methods = slices.DeleteFunc(base.Methods(), func(m string) bool { return NeedsWhole(m) && !r.scope.Whole() })
}

func (r *Role) readMethods(t strict.Table) {
	for _, v := range listed(t, "methods") {
		name, ok := v.(string)
		switch {
		case !ok || !slices.Contains(Methods(), name):
			t.Fail("methods", "%s is no method that needs a role; known are %s", strict.Show(v), strings.Join(Methods(), ", "))
			return
		case NeedsWhole(name) && !r.scope.Whole():
			t.Fail("methods", "%s tells of the table as a whole: no role with networks, zones or marks may call it", name)
			return
		}
		r.methods = append(r.methods, name)
	}
	r.methods = append(r.methods, ownMethods()...)
}

// readMasks reads the bits that each role may change, for which all scopes must be known.
func (s RoleSet) readMasks(t strict.Table) {
	var deciding uint32
	for _, r := range s.configured {
		deciding |= r.scope.markBits()
	}
	for i := range s.configured {
		r, t := &s.configured[i], t.Table(s.configured[i].Name)
		if !r.May("change") {
			if t.Has("mark_mask") {
				t.Fail("mark_mask", "the role may not call change: leave mark_mask out, or give it that method")
			}
			continue
		}
		standard := uint32(math.MaxUint32)
		if !r.scope.Whole() {
			standard &^= deciding
		}
		r.markMask = parseMask(t, standard)
		if outside := r.markMask &^ standard; outside != 0 {
			t.Fail("mark_mask", "the bits %#x stand in marks of a role: to change them would move connections from one scope to another", outside)
		}
	}
}

func readMarks(t strict.Table) []Mark {
	list := listed(t, "marks")
	if len(list) > maxMarks {
		t.Fail("marks", "more than %d marks", maxMarks)
		return nil
	}
	var marks []Mark
	for _, v := range list {
		m, ok := ParseMark(v)
		switch {
		case !ok:
			t.Fail("marks", "%s is not a mark such as \"0x10/0xf0\": value and mask, each decimal or hexadecimal, of 32 bits", strict.Show(v))
		case m.Mask == 0:
			t.Fail("marks", "%s: a mask without bits fits every mark", strict.Show(v))
		case m.Value&^m.Mask != 0:
			t.Fail("marks", "%s: the value has bits outside the mask, so no mark fits", strict.Show(v))
		default:
			marks = append(marks, m)
			continue
		}
		return nil
	}
	return marks
}

// ParseMark reads "value/mask", or a value alone, which may be an integer. Whether any mark can
// fit it does not look at.
func ParseMark(v any) (Mark, bool) {
	m := Mark{Mask: math.MaxUint32}
	switch v := v.(type) {
	case int64:
		m.Value = uint32(v)
		return m, v >= 0 && v <= math.MaxUint32
	case string:
		value, mask, masked := strings.Cut(v, "/")
		ok := true
		if masked {
			m.Mask, ok = parseBits(mask)
		}
		var valid bool
		m.Value, valid = parseBits(value)
		return m, ok && valid
	}
	return m, false
}

// String returns the configured roles as understood, every default filled in, in the form
// of the file that ReadRoles reads.
func (s RoleSet) String() string {
	var b strings.Builder
	for _, r := range s.configured {
		r.print(&b)
	}
	return b.String()
}

func (r Role) print(b *strings.Builder) {
	// Quoted, since a name may have dots; of what a name has, nothing needs escaping.
	fmt.Fprintf(b, "\n[roles.%q]\n", r.Name)
	if r.base != "" {
		fmt.Fprintf(b, "base = %q\n", r.base)
	} else {
		fmt.Fprintf(b, "methods = [%s]\n", join(r.methods, strconv.Quote))
	}
	if !r.scope.Whole() {
		r.scope.print(b)
	}
	if r.May("change") {
		fmt.Fprintf(b, "mark_mask = \"%#x\"\n", r.markMask)
	}
}

func (s *Scope) print(b *strings.Builder) {
	if s.networks != nil {
		fmt.Fprintf(b, "networks = [%s]\n", join(s.networks, func(p netip.Prefix) string { return strconv.Quote(shownPrefix(p)) }))
	}
	if s.zones != nil {
		fmt.Fprintf(b, "zones = [%s]\n", join(s.zones, func(z uint16) string { return strconv.Itoa(int(z)) }))
	}
	if s.marks != nil {
		fmt.Fprintf(b, "marks = [%s]\n", join(s.marks, func(m Mark) string { return fmt.Sprintf("\"%#x/%#x\"", m.Value, m.Mask) }))
	}
}
