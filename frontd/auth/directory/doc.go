// SPDX-License-Identifier: GPL-2.0-or-later

// Package directory logs users in by an LDAP server (RFC 4511): it finds the entry of a
// user or makes up its name, binds as him with the password he gave, and reads which groups he
// is in.
//
// What a client sent gets into filters and names escaped (RFC 4515, RFC 4514) and nowhere
// else. What the server sends is bounded in size and time, and read only after TLS has
// said that it is the server.
//
// The package must never bind without a password, which servers take for success (RFC 4513,
// section 5.1.2), never send a password without TLS, never follow a referral to somebody
// else, and never take a name for a user's that the directory does not have: to a directory
// "ann", "ANN" and "ann " are one.
package directory
