// SPDX-License-Identifier: GPL-2.0-or-later

// Package listen opens the sockets on which the front daemon is reached, bounds the
// connections on them, and says who is at the other end of each.
//
// Sockets come from systemd (sd_listen_fds(3)) or, where it passed none, from addresses
// of the configuration. A Gate counts the connections of all of them together, by
// address and in all. What peers say of themselves plays no part in that: addresses come
// from the kernel, and so does the user at the other end of a Unix socket.
//
// The package must never read from a connection, never wait for one, and never let those
// that only hang around keep others out. Who may log in, and what he may do, is not its
// business.
package listen
