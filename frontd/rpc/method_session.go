// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"nuconntrack/frontd/xmlrpc"
)

func sessionMethods() []method {
	return []method{
		{name: "login", open: true, any: true, returns: typeString, run: (*Server).login,
			help: "login(user, password): begins a session and returns its id, the first parameter of " +
				"all other methods. Where a proxy, a certificate or the kernel says who you are, any " +
				"parameters do. A session ends some seconds after its last call ended (10 unless " +
				"configured), and with logout. Fault 1: wrong user or password. Fault 10: too many " +
				"sessions or logins at once."},
		{name: "logout", returns: typeBool, run: (*Server).logout,
			help: "logout(session_id): ends the session."},
		{name: "whoami", returns: typeStruct, run: (*Server).whoami,
			help: "whoami(session_id): the user, his role, and the methods (array) that it permits."},
	}
}

func (s *Server) login(r *request) (answer, error) {
	req := r.guest()
	for _, v := range r.params {
		req.Args = append(req.Args, operand(v))
	}
	r.work()
	id, err := s.cfg.Service.Login(r.ctx, req, r.caller)
	if err != nil {
		// Else he who does not read his answers could keep them waiting, and so stay at
		// work, by logins that fail.
		r.last()
	}
	return func(w *xmlrpc.Writer) { w.String(id) }, err
}

func (s *Server) logout(r *request) (answer, error) {
	s.cfg.Service.Logout(r.id)
	return nothing, nil
}

func (s *Server) whoami(r *request) (answer, error) {
	who := r.call.Whoami(s.guarded)
	return func(w *xmlrpc.Writer) {
		w.BeginStruct()
		w.Member("user")
		w.String(who.User)
		w.Member("role")
		w.String(who.Role)
		w.Member("methods")
		writeStrings(w, who.Methods)
		w.EndStruct()
	}, nil
}

func writeStrings(w *xmlrpc.Writer, all []string) {
	w.BeginArray()
	for _, s := range all {
		w.String(s)
	}
	w.EndArray()
}
