// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import "fmt"

// Fault codes of the "Specification for Fault Code Interoperability"
// (faults_interop, version 20010516).
const (
	FaultParse    = -32700 // not well formed, or XML that is refused
	FaultInvalid  = -32600 // well formed, but not an XML-RPC call (or answer), or beyond a limit
	FaultNoMethod = -32601 // for the caller's use
	FaultParams   = -32602 // for the caller's use
	FaultInternal = -32603 // for the caller's use
)

const parsePrefix = "not well formed: "

// Error says why a body was refused. Code is FaultParse or FaultInvalid; Text
// is fit to be sent back: it holds nothing of the document but short quoted
// pieces, and nothing of the machine.
type Error struct {
	Code int
	Text string
}

// Error returns the text with its code.
func (e *Error) Error() string { return fmt.Sprintf("fault %d: %s", e.Code, e.Text) }

// cut shortens a piece of a document for an error text.
func cut(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted] + "..."
	}
	return s
}
