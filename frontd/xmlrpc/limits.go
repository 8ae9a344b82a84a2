// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

// What Limits means where it is zero.
const (
	DefaultBytes  = 4 << 20
	DefaultDepth  = 16
	DefaultValues = 20000
)

// Bounds that no caller needs to change.
const (
	MaxMethodName = 255  // characters
	maxAttributes = 16   // on one element; they are compared with each other
	maxProlog     = 256  // bytes from "<?xml" to "?>"
	maxQuoted     = 40   // bytes of a document that an error text repeats
	firstRead     = 1024 // bytes, for a body of unknown length
	idleReads     = 100  // reads that bring neither bytes nor an error
)

// Limits bounds what one body may cost. Zero and negative fields mean the
// defaults. Reading recurses once per level of Depth.
type Limits struct {
	Bytes  int64 // of the body, counted as they come and before any decoding
	Depth  int   // of arrays and structs inside each other
	Values int   // of all kinds, arrays and structs and what is in them included

	// Charset is what the transport says (the charset parameter of
	// Content-Type), or empty. As RFC 7303, section 3 has it, a byte order
	// mark decides before Charset, and Charset before the prolog. A name that is not
	// supported is refused wherever it stands, even where another decides.
	Charset string
}

func (l Limits) orDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	if l.Values <= 0 {
		l.Values = DefaultValues
	}
	return l
}
