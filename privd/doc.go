// SPDX-License-Identifier: GPL-2.0-or-later

// Package privd is the helper: the one part of NuConntrack that holds a capability. It
// listens on a Unix socket for a single user, and does five things for him: hello,
// stats, dump, kill, change. The table of them is in operations.go; what is not there,
// is malformed, or comes at the wrong moment ends the connection it came on.
//
// It must never take a peer's word about a connection, do anything that could not be
// written to the audit before, or wait without end for anybody. It parses packets of
// fixed sizes (package ipc) and, at start and on reload, the policy file; nothing else.
//
// Its input is an attacker's: package ipc's packets come from a daemon that faces the
// network and may have been taken over. What that daemon can do then is what the policy
// allows, at the policy's pace, with an entry in the audit for each attempt.
//
// A kill or change goes this way: a token of the bucket; the connection is read from the
// kernel by its tuple; both tuples, zones and id are compared with those asked for; the
// policy decides on what the kernel said; the intent is written to the audit; the kernel
// is told; the connection is read again, but after a kill that the kernel has confirmed;
// the result is written to the audit; the peer gets its answer. A packet that is malformed costs a token as well.
// Kills that have come one behind the other go this way together, step by step, at most
// maxGroup of them: each still by itself in all that is decided and written.
//
// While the server runs it makes no socket but those that package ctnetlink may have to
// open again, and opens no file: rules are handed to it (SetRules). Only LoadPolicy opens
// one, for whoever reloads.
package privd
