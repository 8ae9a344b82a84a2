// SPDX-License-Identifier: GPL-2.0-or-later

// Package table holds the kernel's connection table as immutable snapshots, column
// by column, and answers questions about them: which rows match a filter, in which
// order, and what stands in a field. It reads the kernel only through a Source, which
// hands it the netlink messages that the helper relays, and those bytes are checked as
// if an attacker had written them. It never changes the kernel's table.
package table
