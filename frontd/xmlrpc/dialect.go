// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

// Dialect is how a Writer writes what the specification has no type for: numbers
// beyond 31 bits, and nothing. Within one dialect each method of Writer but Int and Value
// always writes the same type, whatever the number.
type Dialect uint8

// The dialects. The zero value is the one that every client reads.
const (
	// Plain writes U32, U64 and I64 as <string> in decimal and Nothing as
	// <boolean>1</boolean>.
	Plain Dialect = iota
	// I8 writes U32 and I64 as <i8>, U64 as <string> and Nothing as <nil/>.
	I8
	// Ex is I8 with Apache's <ex:i8> and <ex:nil/>, declared on the root.
	Ex
)

// extensions is the namespace of Apache's vendor extensions for XML-RPC.
const extensions = "http://ws.apache.org/xmlrpc/namespaces/extensions"

func (d Dialect) root() string {
	if d == Ex {
		return `<methodResponse xmlns:ex="` + extensions + `">`
	}
	return "<methodResponse>"
}

func (d Dialect) nothing() string {
	switch d {
	case I8:
		return "<nil/>"
	case Ex:
		return "<ex:nil/>"
	}
	return "<boolean>1</boolean>"
}

// wide returns the tags around a number that may need more than 31 bits and fits into 64 with its sign.
func (d Dialect) wide() (open, shut string) {
	switch d {
	case I8:
		return "<value><i8>", "</i8></value>"
	case Ex:
		return "<value><ex:i8>", "</ex:i8></value>"
	}
	return "<value><string>", "</string></value>"
}
