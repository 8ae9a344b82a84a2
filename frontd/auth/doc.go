// SPDX-License-Identifier: GPL-2.0-or-later

// Package auth finds out who a client is: it turns what came with a login into the name
// of a user and his role, or into a refusal.
//
// Each way to do so is a Backend; wrappers around a Backend (such as one that slows down
// guessing) are Backends too. Everything in a Request comes from the network and is hostile
// until a Backend says otherwise.
//
// The package must never say to a client why a login failed, nor show it by the time it
// takes as far as that can be helped; never log or keep a password; and never let a
// flood of logins take more than a bounded share of processor and memory. What
// a user may do is not its business (package policy), nor how long he stays (package
// session).
package auth
