// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"time"

	"nuconntrack/cmd/nuctl/client"
)

// Config is what Run needs.
type Config struct {
	// Source is the server, Server what it is called, Identity who we are there.
	Source   Source
	Server   string
	Identity client.Identity
	// Fields are the names that the server has; what it lacks is neither shown nor offered.
	Fields []string
	// Expr is the expression to begin with; empty shows all connections.
	Expr string
	// OrderBy is the field to sort by, Descending the direction; empty is by rate, the
	// greatest first.
	OrderBy    string
	Descending bool
	// Interval is how often the table is read; 0 is DefaultInterval.
	Interval time.Duration
	// ReadOnly offers nothing that changes anything.
	ReadOnly bool
	// Unicode says that the terminal shows more than ASCII.
	Unicode bool
	// Colours says that colours are wanted, besides attributes.
	Colours bool
}
