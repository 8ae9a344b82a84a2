// SPDX-License-Identifier: GPL-2.0-or-later

// Package passwd reads, checks and edits password files: one line user:hash each, as
// Apache's htpasswd -B writes them, with bcrypt or argon2id hashes.
//
// The daemon reads such a file to log users in, nuctl edits it. Both see it through
// this package, so that what nuctl writes is what the daemon accepts. The contents come
// from an administrator, but also from other tools, half-finished copies and mistakes:
// size, number of users, and the work that one hash may ask for are bounded here.
//
// The package must never keep, log or put into an error a password or a hash, and never
// compare passwords as plain text: formats that are weaker than bcrypt are named
// in the error and refused.
package passwd
