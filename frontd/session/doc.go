// SPDX-License-Identifier: GPL-2.0-or-later

// Package session keeps the sessions of clients: who logged in, from where, and
// whatever the front daemon remembers for them between two calls.
//
// A session begins at login and ends in one of four ways: at logout, when no call
// of it ran for Timeout, when it is Lifetime old, or when the daemon stops. The
// clock of Timeout stands still while a call runs and starts anew at its end, so
// that a call that takes long does not cost its own session.
//
// Ids come from clients and are worth as much as a password while they live. The
// package keeps only their SHA-256 and has no way to print one. It must never
// decide whether somebody may log in (package auth does) or what he may do
// (package policy does), and it does no input or output.
package session
