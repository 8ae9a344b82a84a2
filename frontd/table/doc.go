// SPDX-License-Identifier: GPL-2.0-or-later

// Package table holds the kernel's connection table as immutable snapshots, column
// by column, and answers for their rows: what stands in a field, and which match a filter. It reads the
// kernel only through a Source, which hands it the netlink messages that the helper relays, and
// those bytes are checked as if an attacker had written them. It never changes the kernel's table.
//
// Above it stand package ranking, which puts rows in order and in groups, and package store, which
// decides when a table is read and how long it is held; below it package ident,
// which names a connection, and package expr, the grammar of expressions.
// Columns, fields and filters stay together here: a field is the one way in which filters read a column, in
// loops over the column itself, and between any two of the three more names would have to cross than each hides.
package table
