// SPDX-License-Identifier: GPL-2.0-or-later

// Package export writes a long table: into a file that is there whole or not at all, with
// a bar that shows how far it is.
//
// The file's name comes from the user. The package must never leave a part of a table under that
// name, never write over a file without being told to, and never make one that others may
// read: a table says who speaks with whom.
package export
