// SPDX-License-Identifier: GPL-2.0-or-later

// Package ident says which connection is meant: as flat memory for tables, packed for hashing, and
// as the key, an opaque text that clients are given and name a connection by. Keys come back from the
// network, and keys of earlier releases must stay readable; it must never read two texts as one
// connection, nor one that the helper would refuse.
package ident
