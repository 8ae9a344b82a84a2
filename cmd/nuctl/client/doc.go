// SPDX-License-Identifier: GPL-2.0-or-later

// Package client calls a NuConntrack front daemon: XML-RPC over HTTP or a Unix socket.
//
// What comes back is from the network and is hostile until proven otherwise. kolo/xmlrpc
// encodes the calls, but its decoder trusts what it reads: deep nesting overflows its stack, a
// huge answer fills the memory, and it ignores what follows the first value. So the answers
// are read by the daemon's own codec, which is as strict here as it is there, within limits of
// size, nesting and number; it is also what makes a million rows a matter of seconds. Kolo's own
// client is not used: that one is dead after one bad answer and hangs after Close.
//
// The package must never print, never put a password or a session id into an error, and
// never follow a redirect, which would hand both to somebody else. Text of the server is passed
// on as it came: whoever shows it makes it harmless first.
package client
