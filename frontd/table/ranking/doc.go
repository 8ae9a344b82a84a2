// SPDX-License-Identifier: GPL-2.0-or-later

// Package ranking puts the connections of a table in order, or groups of them with their sums,
// and gives the page that was asked for; what it found it keeps beside the snapshot, for who asks
// again. It sees rows through the fields and filters of package table only, block by block,
// and must never sort a whole table for one page, nor find groups for two calls of a snapshot at a
// time. Its queries come from users, whose mistakes are answered with an *Error.
package ranking
