// SPDX-License-Identifier: GPL-2.0-or-later

// Package logging is how both daemons write their logs: to the journal, each line with its level;
// or to a terminal, a file or a pipe, as text or JSON. What strangers can make a daemon write, it
// bounds: the lines of a kind, the length of a value, and the characters in it. It must never wait
// for a reader but by the writer that it is given, and must not know what is logged: that no
// secret is, is for those who log.
package logging
