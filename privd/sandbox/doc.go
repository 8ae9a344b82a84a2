// SPDX-License-Identifier: GPL-2.0-or-later

// Package sandbox takes from privd, for good and on all threads, every system call that
// it does not need any more once its sockets are open. It is a seccomp filter that the
// program installs by itself; that of its systemd unit is only the second fence. It must
// never let a call through because that might be handy: what is not in the list of
// rules.go ends the process with SIGSYS, at once and in a way that no handler sees. It
// has no input but its Config.
//
// What is left to an attacker who has taken over the process:
//
//   - All of nfnetlink. Filters see numbers, not what pointers point to, so they cannot
//     tell a conntrack message from one that changes the firewall. CAP_NET_ADMIN itself
//     reaches nothing else: no other kind of socket, no ioctl.
//   - Reading whatever file the user that privd became can read. The policy has to be
//     read again at SIGHUP. Nothing can be written, created or truncated, and nothing
//     removed, but for Config.RemoveSocket.
//   - The descriptors that are open: frontd's connections, the journal, systemd's socket.
//     The journal's socket is not connected, so that datagrams can go to any Unix socket
//     whose permissions let this user in. No new socket but netlink can be made.
//   - Using up processor and memory, which the unit limits.
//   - Code can be reused (return-oriented programming), but none can be brought in:
//     nothing can be executed and no page becomes executable.
//
// A build with -cover or with cgo needs more than the filter allows, as does CPU
// profiling. Filters for amd64 and arm64 are there.
package sandbox
