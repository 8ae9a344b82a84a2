// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
)

// Introspection as in "XML-RPC Introspection" and "Specification for Fault Code
// Interoperability".
func systemMethods() []method {
	name := []param{{types: []string{typeString}}}
	return []method{
		{name: "system.listMethods", open: true, returns: typeArray, run: (*Server).listMethods,
			help: "system.listMethods(): the names of all methods."},
		{name: "system.methodHelp", open: true, params: name, returns: typeString, run: (*Server).methodHelp,
			help: "system.methodHelp(method): what a method does."},
		{name: "system.methodSignature", open: true, params: name, returns: typeArray, run: (*Server).methodSignature,
			help: "system.methodSignature(method): an array of signatures, each an array of types, the " +
				"type of the answer first; 'undef' for a method that takes anything."},
		{name: "system.getCapabilities", open: true, returns: typeStruct, run: (*Server).getCapabilities,
			help: "system.getCapabilities(): the specifications that this server keeps to."},
	}
}

func (s *Server) listMethods(*request) (answer, error) {
	return func(w *xmlrpc.Writer) { writeStrings(w, s.names) }, nil
}

// named finds the method that introspection asks about. That there is none is a wrong
// parameter of the method that does exist.
func (s *Server) named(r *request) (*method, error) {
	name, err := r.params.text(0, "method", "")
	if err != nil {
		return nil, err
	}
	m, ok := s.methods[name]
	if !ok {
		return nil, service.BadParam("there is no method %s", quoted(name))
	}
	return m, nil
}

func (s *Server) methodHelp(r *request) (answer, error) {
	m, err := s.named(r)
	if err != nil {
		return nil, err
	}
	return func(w *xmlrpc.Writer) { w.String(m.help) }, nil
}

func (s *Server) methodSignature(r *request) (answer, error) {
	m, err := s.named(r)
	if err != nil {
		return nil, err
	}
	return func(w *xmlrpc.Writer) {
		all := m.signatures()
		if all == nil {
			w.String("undef")
			return
		}
		w.BeginArray()
		for _, signature := range all {
			writeStrings(w, signature)
		}
		w.EndArray()
	}, nil
}

func (s *Server) getCapabilities(*request) (answer, error) {
	specs := [...]struct {
		name, url string
		version   int
	}{
		{"xmlrpc", "http://www.xmlrpc.com/spec", 1},
		{"faults_interop", "http://xmlrpc-epi.sourceforge.net/specs/rfc.fault_codes.php", 20010516},
		{"introspection", "http://xmlrpc.usefulinc.com/doc/reserved.html", 1},
	}
	return func(w *xmlrpc.Writer) {
		w.BeginStruct()
		for _, spec := range specs {
			w.Member(spec.name)
			w.BeginStruct()
			w.Member("specUrl")
			w.String(spec.url)
			w.Member("specVersion")
			w.Int(spec.version)
			w.EndStruct()
		}
		w.EndStruct()
	}, nil
}
