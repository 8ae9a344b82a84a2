// SPDX-License-Identifier: GPL-2.0-or-later

// Package metrics tells Prometheus how the front daemon does, on a listener of its own, and
// monitors whether it is alive and ready.
//
// Nothing in here may grow by what strangers send: labels are words of ours, made at the start. No
// label names a host, a user or a connection. A scrape reads no table: it counts the one that
// somebody looked at last, and says how old that is. It does ask the helper how full the kernel's
// table is, at most once in a few seconds however many ask, so that a helper that leaves when
// nobody needs it stays while it is monitored.
package metrics
