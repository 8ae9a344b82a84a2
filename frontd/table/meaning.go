// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/bits"
	"slices"
	"strings"

	"nuconntrack/frontd/reason"
)

// Meaning says what the marks of connections stand for on this firewall. It does not change.
// nil gives marks no meaning.
type Meaning struct {
	uidMask uint32
	users   *Users
	classes []Class
	names   []string // of the classes, sorted
	ranks   []uint64 // by class: its place in names
}

// Class is a class of traffic: the connections whose mark, of the bits in Mask, has Value.
type Class struct {
	Name        string
	Value, Mask uint32
}

// NewMeaning makes a meaning. The mask has the bits of a mark that hold a user's id, 0 for
// none; nil has no names for users. A mark that fits several classes, whose names must
// differ, is of the first.
func NewMeaning(uidMask uint32, users *Users, classes []Class) *Meaning {
	m := &Meaning{uidMask: uidMask, users: users, classes: slices.Clone(classes)}
	for _, c := range classes {
		m.names = append(m.names, c.Name)
	}
	slices.Sort(m.names)
	for _, c := range classes {
		rank, _ := slices.BinarySearch(m.names, c.Name)
		m.ranks = append(m.ranks, uint64(rank))
	}
	return m
}

// WithUsers is the same meaning with other names for users.
func (m *Meaning) WithUsers(users *Users) *Meaning { return NewMeaning(m.uidMask, users, m.classes) }

// Classes are the traffic classes in the order of the configuration.
func (m *Meaning) Classes() []Class {
	if m == nil {
		return nil
	}
	return slices.Clone(m.classes)
}

// ClassNamed finds a class by its exact name.
func (m *Meaning) ClassNamed(name string) (Class, bool) {
	if m == nil {
		return Class{}, false
	}
	i := slices.IndexFunc(m.classes, func(c Class) bool { return c.Name == name })
	if i < 0 {
		return Class{}, false
	}
	return m.classes[i], true
}

// userID gives the id in a mark: the bits of the mask, moved down to bit 0.
func (m *Meaning) userID(mark uint32) (uint64, bool) {
	return uint64(mark & m.uidMask >> bits.TrailingZeros32(m.uidMask)), m.uidMask != 0
}

// username gives the place of a user's name. The mark of nobody has none: 0 is not root there.
func (m *Meaning) username(mark uint32) (uint64, bool) {
	id, _ := m.userID(mark)
	if id == 0 {
		return 0, false
	}
	return m.users.rank(uint32(id))
}

// class gives the place of a class's name.
func (m *Meaning) class(mark uint32) (uint64, bool) {
	for i := range m.classes {
		if mark&m.classes[i].Mask == m.classes[i].Value {
			return m.ranks[i], true
		}
	}
	return 0, false
}

// need is what has to be configured for a field to exist.
type need uint8

const (
	needsUsers need = iota + 1
	needsClasses
)

// Has says whether there is such a field where marks mean this.
func (m *Meaning) Has(f *Field) bool {
	switch f.needs {
	case needsUsers:
		return m != nil && m.uidMask != 0
	case needsClasses:
		return m != nil && len(m.classes) > 0
	}
	return true
}

// OfUser says whether a field tells of the user in the mark.
func (f *Field) OfUser() bool { return f.needs == needsUsers }

// Lacks says why there is no such field; false if there is.
func (m *Meaning) Lacks(f *Field) (why reason.Reason, lacks bool) {
	switch {
	case m.Has(f):
		return why, false
	case f.needs == needsUsers:
		return reason.NoUsers.Of(), true
	}
	return reason.NoClasses.Of(), true
}

// use is a test of a field that does not exist everywhere.
type use struct {
	field  Field
	column int // of the expression, 0 for other members
	member string
	texts  []string // that it looks for
}

// Check says what a filter asks for that there is not where marks mean this. The error is
// a *FilterError.
func (m *Meaning) Check(f *Filter) error {
	if f == nil {
		return nil
	}
	for _, u := range f.uses {
		if why, lacks := m.Lacks(&u.field); lacks {
			return &FilterError{Member: u.member, Column: u.column, Reason: why}
		}
		if u.field.needs != needsClasses {
			continue
		}
		for _, name := range u.texts {
			if _, there := m.ClassNamed(name); !there {
				why := reason.NoClassBut.Of(Quoted(name), strings.Join(m.names, ", "))
				return &FilterError{Member: u.member, Column: u.column, Reason: why}
			}
		}
	}
	return nil
}

// Users are names by user id. They do not change.
type Users struct {
	ranks map[uint32]uint32 // places in names
	names []string          // sorted, each once
}

// NewUsers makes users of names by id.
func NewUsers(byID map[uint32]string) *Users {
	u := &Users{ranks: make(map[uint32]uint32, len(byID)), names: make([]string, 0, len(byID))}
	for _, name := range byID {
		u.names = append(u.names, name)
	}
	slices.Sort(u.names)
	u.names = slices.Compact(u.names)
	for id, name := range byID {
		rank, _ := slices.BinarySearch(u.names, name)
		u.ranks[id] = uint32(rank)
	}
	return u
}

// Len is the number of names.
func (u *Users) Len() int { return len(u.sorted()) }

func (u *Users) sorted() []string {
	if u == nil {
		return nil
	}
	return u.names
}

// rank gives the place of a user's name among the names.
func (u *Users) rank(id uint32) (uint64, bool) {
	if u == nil {
		return 0, false
	}
	rank, ok := u.ranks[id]
	return uint64(rank), ok
}
