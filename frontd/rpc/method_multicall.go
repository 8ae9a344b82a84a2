// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
)

// maxMulticall is how many calls one request may bring.
const maxMulticall = 16

// multicallMethod is system.multicall as described by Eric Kidd in "XML-RPC
// system.multicall" (2001): each call's answer is an array of one, or a fault's struct.
func multicallMethod() method {
	return method{
		name: "system.multicall", open: true, returns: typeArray, run: (*Server).multicall,
		params: []param{{types: []string{typeArray}}},
		help: "system.multicall(calls): makes up to 16 calls, each a struct of methodName and params, one " +
			"after the other, and returns an array with, for each, an array of one value, or the struct " +
			"of a fault. login and system.multicall are not called so.",
	}
}

// called is one call of many with its outcome.
type called struct {
	result answer
	err    error
}

func (s *Server) multicall(r *request) (answer, error) {
	list := r.params[0]
	if list.Kind != xmlrpc.KindArray {
		return nil, service.BadParam("calls: want an array of structs, not %s", list.Kind)
	}
	if len(list.Items) > maxMulticall {
		return nil, service.BadParam("calls: %d are more than %d", len(list.Items), maxMulticall)
	}
	all := make([]called, len(list.Items))
	for i, item := range list.Items {
		name, p, err := callOf(item)
		if err != nil {
			all[i].err = err
			continue
		}
		one := *r
		one.call, one.id = nil, ""
		all[i].result, all[i].err = s.dispatch(&one, name, p)
	}
	return func(w *xmlrpc.Writer) {
		w.BeginArray()
		for _, c := range all {
			c.write(w)
		}
		w.EndArray()
	}, nil
}

// callOf reads one call of many.
func callOf(v xmlrpc.Value) (name string, p params, err error) {
	if v.Kind != xmlrpc.KindStruct {
		return "", nil, service.BadParam("a call must be a struct, not %s", v.Kind)
	}
	for _, m := range v.Members {
		switch {
		case m.Name == "methodName" && m.Value.Kind == xmlrpc.KindString:
			name = m.Value.Text
		case m.Name == "params" && m.Value.Kind == xmlrpc.KindArray:
			p = m.Value.Items
		default:
			return "", nil, service.BadParam("a call has methodName, a string, and params, an array")
		}
	}
	if name == "login" || name == "system.multicall" {
		return "", nil, service.BadParam("%s is not called by system.multicall", name)
	}
	return name, p, nil
}

func (c called) write(w *xmlrpc.Writer) {
	if c.err == nil {
		w.BeginArray()
		c.result(w)
		w.EndArray()
		return
	}
	code, text := faultOf(c.err)
	w.BeginStruct()
	w.Member("faultCode")
	w.Int(code)
	w.Member("faultString")
	w.String(text)
	w.EndStruct()
}
