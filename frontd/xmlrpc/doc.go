// SPDX-License-Identifier: GPL-2.0-or-later

// Package xmlrpc reads XML-RPC calls and writes XML-RPC answers, and reads answers for
// who makes calls.
//
// Its input comes from anyone who can reach the listener, before any
// authentication, or from whatever listens where a server should. It therefore knows the one document type it is for and
// nothing else of XML: no DTD, no processing instructions, no entities of
// the document's own, no namespaces but the prefix "ex", no charset but
// UTF-8, US-ASCII and ISO-8859-1. It must never guess what a document that
// breaks the rules might mean, never recurse or allocate because of a number
// that the document states, and never learn of HTTP, methods or conntrack.
//
// # Reading
//
// The grammar is that of http://xmlrpc.com/spec.md with the widespread <i8>
// and <nil/>, and Apache's <ex:i8> and <ex:nil/>. The first thing wrong in
// document order decides the fault: FaultParse for what is not well-formed
// XML 1.0 or uses a part of it that is refused, FaultInvalid for XML that is
// not a methodCall, or methodResponse, and for every limit. Characters that XML forbids are looked
// for in the whole body first.
//
// White space around numbers, booleans, times and between elements does not
// count; in strings, member names and untyped values all of it does. Line ends
// CRLF and CR are read as LF (XML 1.0, 2.11), but not those written &#13;.
// Well-formed attributes are ignored, the declaration of "ex" included, which
// need not be there.
//
// Depth is the number of arrays and structs around a value, itself included if
// it is one: a parameter <array> has depth 1. Every <value> counts as one value,
// so members are counted too.
//
// Memory: reading a body of n bytes allocates less than 24·n + 4 KiB in all,
// garbage included, whatever the body says. The worst well-formed body is a list of
// <value/>, which is 8 bytes there and one Value here. Strings that needed no
// decoding are parts of one copy of the body: who keeps one longer than the
// call clones it, or keeps the whole body.
//
// Time is linear in the body, but for the search for duplicate members, which
// sorts the names of a struct.
//
// # Writing
//
// A Writer appends to a buffer and hands it on in pieces of 32 KiB. It writes what the
// most conservative clients read; a Dialect says how to write what the
// specification has no type for.
package xmlrpc
