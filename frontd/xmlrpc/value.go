// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import "fmt"

// Kind says which fields of a Value are in use.
type Kind uint8

// The kinds. The zero value is KindNil, so that Value{} is 'nothing'.
const (
	KindNil    Kind = iota // <nil/>, <ex:nil/>
	KindInt                // Int: <i4>, <int>, <i8>, <ex:i8>, each with the whole range of int64
	KindDouble             // Double: always finite
	KindBool               // Int: 0 or 1
	KindString             // Text: <string> and untyped values
	KindTime               // Text: <dateTime.iso8601> as it was sent, its form checked
	KindBase64             // Text: the decoded bytes
	KindArray              // Items
	KindStruct             // Members, in the order they were sent, no name twice
)

// String returns the name that the specification has for a kind.
func (k Kind) String() string {
	switch k {
	case KindNil:
		return "nil"
	case KindInt:
		return "int"
	case KindDouble:
		return "double"
	case KindBool:
		return "boolean"
	case KindString:
		return "string"
	case KindTime:
		return "dateTime.iso8601"
	case KindBase64:
		return "base64"
	case KindArray:
		return "array"
	case KindStruct:
		return "struct"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Value is any XML-RPC value. Fields that its kind does not use are zero.
type Value struct {
	Kind    Kind
	Int     int64
	Double  float64
	Text    string
	Items   []Value
	Members []Member
}

// Member is one named value of a struct. The name may be empty.
type Member struct {
	Name  string
	Value Value
}

// Call is a methodCall. Its strings share memory with the body that it was
// read from: clone what outlives the call.
type Call struct {
	Method string // 1 to MaxMethodName characters of A-Z a-z 0-9 _ . : /
	Params []Value
}
