// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"context"
	"fmt"
	"slices"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
)

// XML-RPC's names of types, as introspection gives them.
const (
	typeArray  = "array"
	typeBool   = "boolean"
	typeInt    = "int"
	typeString = "string"
	typeStruct = "struct"
)

// answer writes the value of an answer. All that can fail was done before.
type answer func(w *xmlrpc.Writer)

// request is one call of a method as it came in.
type request struct {
	ctx    context.Context
	caller service.Caller
	guest  func() auth.Request // what a login may be judged by, besides its arguments
	params params              // without the session id
	id     string              // of the session, where the method has one
	call   *service.Call
	work   func() // says that the call has a right to be worked on: see Config.Read
	last   func() // says that the connection ends with the answer
	// begun takes what ends a call of the session, to be run when the answer is written, or
	// cannot be.
	begun func(end func())
}

// param is one parameter of a method, for introspection.
type param struct {
	types    []string // that a client may send
	optional bool
}

// method is a row of the table of methods.
type method struct {
	name    string
	open    bool    // anybody may call it; else the first parameter is a session id
	params  []param // behind the session id; the optional ones last
	any     bool    // takes parameters of any number and type
	returns string
	help    string
	run     func(*Server, *request) (answer, error)
}

// methods is the one list of methods, in the order of the documentation.
func methods(multicall bool) []method {
	all := slices.Concat(sessionMethods(), tableMethods(), groupMethods(), actMethods(), systemMethods())
	if multicall {
		all = append(all, multicallMethod())
	}
	return all
}

// bounds gives the least and the most parameters behind the session id.
func (m *method) bounds() (least, most int) {
	for _, p := range m.params {
		if !p.optional {
			least++
		}
	}
	return least, len(m.params)
}

// check finds a wrong number of parameters.
func (m *method) check(p params) error {
	least, most := m.bounds()
	if m.any || len(p) >= least && len(p) <= most {
		return nil
	}
	what := fmt.Sprintf("%d to %d parameters", least, most)
	if least == most {
		what = fmt.Sprintf("%d parameters", least)
	}
	if !m.open {
		what += " after the session id"
	}
	return service.BadParam("%s takes %s, %d came", m.name, what, len(p))
}

// signatures gives every list of types that the method takes, the type of the answer
// first; nil when it takes any.
func (m *method) signatures() [][]string {
	if m.any {
		return nil
	}
	begin := []string{m.returns}
	if !m.open {
		begin = append(begin, typeString)
	}
	all := [][]string{begin}
	complete := [][]string{}
	for _, p := range m.params {
		if p.optional {
			complete = append(complete, all...)
		}
		var longer [][]string
		for _, s := range all {
			for _, t := range p.types {
				longer = append(longer, append(slices.Clone(s), t))
			}
		}
		all = longer
	}
	return append(complete, all...)
}

// nothing is the answer of methods that return nothing.
func nothing(w *xmlrpc.Writer) { w.Nothing() }
