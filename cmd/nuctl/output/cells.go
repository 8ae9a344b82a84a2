// SPDX-License-Identifier: GPL-2.0-or-later

package output

import "nuconntrack/cmd/nuctl/connection"

// The cells of the table, for other views of connections. What they return is clean and
// never empty: - stands for what the kernel does not know.

// Text is a field as it is.
func Text(row connection.Row, name string) string { return text(name)(row, "") }

// SizeOf is a field that counts bytes, see Size.
func SizeOf(row connection.Row, name string) string { return size(name)(row, "") }

// Source is where a connection comes from, with what translation makes of it.
func Source(row connection.Row, arrow string) string { return ends("src", "dst")(row, arrow) }

// Destination is where it goes to, with what translation makes of it.
func Destination(row connection.Row, arrow string) string { return ends("dst", "src")(row, arrow) }

// State is the protocol's own, or what the status says.
func State(row connection.Row) string { return state(row, "") }

// Expires is when a connection ends unless packets pass, with ! when they do not matter.
func Expires(row connection.Row) string { return expires(row, "") }

// Mark is the connmark.
func Mark(row connection.Row) string { return mark(row, "") }

// Width is how many columns a text takes that Clean let pass.
func Width(text string) int { return width(text) }
