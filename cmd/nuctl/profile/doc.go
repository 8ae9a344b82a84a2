// SPDX-License-Identifier: GPL-2.0-or-later

// Package profile knows how nuctl connects: which settings there are, the file in which an
// administrator keeps those of several firewalls under names, and which of flag,
// environment and file holds.
//
// A file comes from the user or from the administrator of the machine; one that others may write
// is refused, since it names commands that are run. The package must never hold a password: the
// file has no place for one, and what reads or asks for passwords is elsewhere.
package profile
