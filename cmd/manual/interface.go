// SPDX-License-Identifier: GPL-2.0-or-later

package main

// A section is prose about the XML-RPC interface, for the manual page and the document alike.
// Text has paragraphs, which empty lines separate; lines that begin with a space stay as they are.
type section struct{ title, text string }

// interfaceText is what a client has to know beside the tables of methods, fields and faults.
func interfaceText() []section {
	return []section{
		{"Requests", `nuconntrack-frontd(8) answers XML-RPC over HTTP: POST to /RPC2, or to /, with Content-Type text/xml or
application/xml. What a method has to say is status 200, with an answer or a fault. Other statuses come before
XML-RPC begins: 403 for requests that a page of another site makes, 404 for other paths, 405 for other methods of HTTP (GET of / is
the page for browsers), 411 without a length, 413 for a body longer than max_body (4 MiB unless configured), 415 for other types and for any
Content-Encoding, 421 for a name of this host that hosts does not list.

A caller without a live session may send 8 KiB; what is longer is fault 2. A body holds at most 20000 values, 16 levels deep.`},
		{"Sessions", `A session begins with login, whose answer is the first parameter of the other methods. It ends with
logout, or some seconds after its last call ended (session_timeout, 10 s unless configured): a client that
pauses for longer calls something cheap in between, whoami for instance, or logs in again when it meets fault 2.

Errors are looked for in this order: no such method (-32601), session (2), permission (3), parameters (-32602), helper
(9), the rest. A call either finds a parameter wrong and does nothing, or begins. Parameters at the end may be left out where a
default is given.`},
		{"Values", `XML-RPC's integer is signed and has 32 bits. So id, mark, timeout, user_id, counters and rates are decimal
strings, always; what stays below 2^31 is an integer; flags are booleans; 'nothing' is the boolean 1. A value that
the kernel does not know is absent, and never 0. /RPC2/i8 is the same service with <i8> for numbers of 32 bits and <nil/> for
nothing, /RPC2/ex the same with Apache's names for both; numbers of 64 bits are strings there too.

Numbers that come in may be int, i4, i8, a double without a fraction, or a decimal string; a mark may be hexadecimal, as in
0x10. A negative number is fault -32602: send what is beyond 2^31 as a string. An empty array does for an empty struct.`},
		{"Tables", `view and groups look at a table that was read from the kernel at one moment: taken says when, snapshot
names it. A table that is older than max_age (1 s unless configured), and than twice the time its reading took, is read
again first. To turn pages, send the snapshot of the first page in options: pages of one table neither overlap nor skip. The
table that a session viewed last is held for it, until newer ones need the room (max_snapshots); then the answer is
fault 12.

warnings is an array of texts for people, each with a fixed word before its colon: accounting and timestamps (the kernel
does not keep them, so counters, rates and ages are missing), full (the kernel's table is, nearly), cut and unread (connections are
missing from this table), hidden (connections are left out by the configuration or by the scope of the role).`},
		{"Acting", `kill, change and their like take a connection's key, which names exactly that connection, or its id, which
is a hash of the kernel's and may stand for two (fault 5). The helper reads the connection from the kernel before it does
anything, refuses what its policy protects or forbids (fault 6), and reads it again after a change.`},
		{"Filters", `A struct, of which all members must hold. A member is a field that serves for it, and its value an int or
a string (equal), a boolean for flags, an array (any of), or a string with an operator: a network 10.0.0.0/8, a range
1024-65535, a comparison >=1000, a negation !22, a mark 0x10/0xf0. The member expr holds an expression, see
nuconntrack-expressions(7).`},
	}
}
