// SPDX-License-Identifier: GPL-2.0-or-later

// Package cli holds the commands of nuctl: what the user may write, what is asked of the
// server for it, and what is said when it fails.
//
// Arguments come from the user, everything else from a server that may lie. The package must
// never take a password from the command line, never act on more than one connection
// without being told that this is meant, and never print what came from the network but
// through package output.
package cli
