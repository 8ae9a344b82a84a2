// SPDX-License-Identifier: GPL-2.0-or-later

// Package ctnetlink is the only place that speaks to the kernel's conntrack table:
// it reads one connection, deletes it, sets its mark or fixes its timeout, relays a
// dump of the table, and reads statistics. It must never flush the table, create a
// connection, or set a status bit that the kernel did not report, but the one of the
// fixed timeout; the messages that would are not in encode.go, and no other file
// builds any. What is deleted or changed is an Entry, and only a read of the kernel
// makes an Entry.
//
// Its input is the kernel's, on sockets that take answers from the kernel alone, and
// targets that a caller may have from anyone. It decides nothing: whether the entry
// that was read is the one that was meant, and may be touched, is the caller's to say.
//
// After Dial, NewDumper and NewStatsReader the system calls are sendto, recvmsg,
// pread64 and close; and, when a socket has to be replaced, socket, bind, getsockname
// and setsockopt. CAP_NET_ADMIN in the network namespace is needed for all.
//
// The names of attributes and messages are those of the kernel's
// include/uapi/linux/netfilter/nfnetlink_conntrack.h, the behaviour described is that
// of net/netfilter/nf_conntrack_netlink.c.
package ctnetlink
