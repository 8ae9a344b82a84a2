// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"cmp"
	"slices"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
)

// A Method is what can be said of one, as introspection does.
type Method struct{ Name, Returns, Help string }

// Methods describes all methods in their order, also those that have to be switched on.
func Methods() []Method {
	var all []Method
	for _, m := range methods(true) {
		all = append(all, Method{m.name, m.returns, m.help})
	}
	return all
}

// Faults gives the meaning of all codes that an answer may have, those of the service first.
func Faults() []service.Meaning {
	codec := []service.Meaning{
		{Code: xmlrpc.FaultParse, Meaning: "The request is not well-formed XML, or XML that is refused."},
		{Code: xmlrpc.FaultInvalid, Meaning: "The request is not an XML-RPC call, or is beyond a limit."},
		{Code: xmlrpc.FaultNoMethod, Meaning: "There is no such method."},
	}
	all := slices.Concat(service.Meanings(), codec)
	slices.SortStableFunc(all, func(a, b service.Meaning) int {
		// 1, 2, … first, then -32603, -32602, …
		if (a.Code < 0) != (b.Code < 0) {
			return cmp.Compare(b.Code, a.Code)
		}
		return cmp.Compare(a.Code, b.Code)
	})
	return all
}
