// SPDX-License-Identifier: GPL-2.0-or-later

// Package policy holds the decisions of NuConntrack as pure functions: what
// the helper may kill or change (Rules), how often and how much of the time
// (Bucket, Pacer), which methods a user may call (Role), and which connections exist for him
// (Scope).
//
// It reads no file, opens no socket, starts no goroutine and asks no clock:
// bytes of the policy file, connections and times are handed in. It imports
// nothing else of this module but the reader of its file (package strict), so that
// the part everybody has to trust can be read on its own.
//
// Whoever asks about a Connection must take it from the kernel. What a client
// or the front daemon says about a connection is a claim, and a decision on a
// claim protects nothing.
//
// # Order of the checks
//
// A refusal names one rule. Checks go from the widest to the narrowest, so
// that the rule named is the one that would have to be lifted first:
//
//  1. is there a policy at all (no-policy)
//  2. is the action switched on (kill.allow, change.allow)
//  3. is the connection protected (the name of the rule, in the order of the file)
//  4. are both directions in a permitted zone (zones)
//  5. is the new value permitted (change.mark_mask, change.timeout_min,
//     change.timeout_max)
//
// # Addresses
//
// All addresses live in one space of 128 bits, in which IPv4 is the block
// ::ffff:0:0/96. So ::ffff:192.0.2.0/120 and 192.0.2.0/24 are the same
// network, written in a rule or met in a connection, and an IPv6 prefix that
// contains the whole block (::/0, ::/64, ...) lists every IPv4 address too. The
// other reading of ::/0 would leave out connections that an administrator meant
// to protect, and nobody would notice; this one refuses too much, and says so.
// An administrator who means global IPv6 alone writes 2000::/3. Host bits of a
// prefix are ignored: 192.0.2.7/24 lists the network of 192.0.2.7.
//
// The scope of a role is the one exception: there a network shows connections
// and does not protect them, so that too much is the mistake nobody would notice.
// An IPv6 prefix never holds IPv4 addresses in it (see Scope).
package policy
