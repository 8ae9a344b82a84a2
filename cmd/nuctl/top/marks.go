// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"slices"

	"nuconntrack/cmd/nuctl/connection"
)

// marks are the connections that the user has marked, by key, so that they stay what they
// are wherever their lines go. The zero value is empty.
type marks struct {
	names map[string]string // what the connection was called when it was marked
	order []string
}

func (m *marks) has(key string) bool {
	_, ok := m.names[key]
	return ok
}

// add marks a connection; false if no more can be.
func (m *marks) add(row connection.Row) bool {
	key := keyOf(row)
	if key == "" || m.has(key) {
		return true
	}
	if len(m.order) >= maxMarks {
		return false
	}
	if m.names == nil {
		m.names = map[string]string{}
	}
	m.names[key] = nameOf(row)
	m.order = append(m.order, key)
	return true
}

func (m *marks) remove(keys ...string) {
	for _, key := range keys {
		delete(m.names, key)
	}
	m.order = slices.DeleteFunc(m.order, func(key string) bool { return !m.has(key) })
}

func (m *marks) clear() { *m = marks{} }

func (m *marks) count() int { return len(m.order) }

// all gives keys and names, in the order of marking.
func (m *marks) all() (keys, names []string) {
	for _, key := range m.order {
		keys, names = append(keys, key), append(names, m.names[key])
	}
	return keys, names
}
