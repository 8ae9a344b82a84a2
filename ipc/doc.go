// SPDX-License-Identifier: GPL-2.0-or-later

// Package ipc is the wire between the front daemon, which holds no privilege and
// faces the network, and the helper privd, which holds CAP_NET_ADMIN. It holds
// the packets, their encoders and decoders, a client and a server side. It knows
// nothing of policy or of the kernel, imports nothing of ours, and its input on
// either side is to be taken as an attacker's.
//
// # Specification, version 1
//
// The transport is a Unix socket of type SOCK_SEQPACKET: one packet is one
// message. Numbers are big-endian. Reserved bytes are zero. A packet that is too
// short or too long for its operation, was truncated, is empty, carries
// descriptors, or has a value outside what is written here is malformed: the
// receiver closes the connection and answers nothing.
//
// Every packet begins with a header of 24 bytes:
//
//	 0  u16  magic, 0x4e43
//	 2  u8   version, 1
//	 3  u8   operation: 1 hello, 2 stats, 3 dump, 4 kill, 5 change
//	 4  u8   kind: 0 request, 1 answer, 2 data of a dump
//	 5  u8   reserved
//	 6  u16  reserved
//	 8  u64  sequence: chosen by the client, repeated in what answers it
//	16  u32  length of what follows the header
//	20  u32  reserved
//
// A request has one size for its operation, and so has an answer. Only data of a
// dump varies, from 1 to 65,536 bytes after the header.
//
// The first request of a connection is hello, with the purpose of the connection:
// control, on which stats, kill and change may follow, as many as MaxInFlight
// unanswered; or dump, on which dump may follow, one at a time. A request that is
// out of this order is malformed. Answers on a control connection come in the order
// of the requests.
//
//	hello request (8)       0 u8 purpose: 1 control, 2 dump   1 reserved[7]
//	hello answer (8)        0 u32 MaxInFlight   4 reserved[4]
//	stats request (0)
//	stats answer (112)      0 u32 known, one bit a value, in the order below
//	                        4 u32 connections   8 u32 maximum   12 u32 buckets
//	                       16 u8 accounting  17 u8 timestamps  18 u8 tcp_loose  19 reserved
//	                       20 u32 CPUs summed   24 ten u64 counters: found, invalid, insert,
//	                          insert_failed, drop, early_drop, error, search_restart,
//	                          clash_resolve, chain_toolong
//	                      104 reserved[8]
//	dump request (0)        the whole table, both families
//	dump data (1..65536)    whole netlink messages as the kernel sent them, in the
//	                        machine's byte order
//	dump answer (32)        the end: 0 u32 errno, 0 when the dump is whole
//	                        4 u32 flags: 1 the kernel said that it was interrupted
//	                        8 u64 bytes relayed   16 u64 nanoseconds the helper spent
//	                       24 reserved[8]
//	kill request (224)      0 target[88]   88 actor[136]
//	change request (240)    0 target[88]   88 actor[136]   224 u8 field: 1 mark, 2 timeout
//	                      225 reserved[3]  228 u32 value   232 u32 mask   236 reserved[4]
//	kill, change answer(88) 0 u8 outcome (see Outcome)   1 u8 flags: 1 old known, 2 new known
//	                        2 u16 errno   4 u32 old   8 u32 new   12 u32 milliseconds
//	                       after which to try again   16 text[64] rule   80 reserved[8]
//
// The mask of a change of mark says which bits change; value has no other bits. The
// mask of a change of timeout is zero, its value counts seconds, from 1 to 2147483.
//
//	target (88)   0 u8 family: 2 IPv4, 10 IPv6   1 u8 protocol   2 reserved[2]
//	              4 u32 the kernel's id   8 tuple orig[40]   48 tuple reply[40]
//	tuple (40)    0 u8 flags: 1 ports, 2 ICMP   1 reserved   2 u16 zone of this direction
//	              4 u16 source port, or ICMP id
//	              6 u16 destination port, or ICMP type and code, a byte each
//	              8 source[16]   24 destination[16]; IPv4 in the first four bytes
//	actor (136)   0 u64 request id   8 text[64] user   72 text[64] client
//	text[n]       valid UTF-8, printable (see ValidText), padded with zero bytes
//
// ICMP and ICMPv6 have the ICMP flag, and no other protocol has; a tuple without a
// flag has zero where ports would stand. Both tuples have the same flag or one has
// none. What user and client say is the front daemon's claim: the helper records it
// and believes the kernel alone (SO_PEERCRED) on who is asking.
package ipc
