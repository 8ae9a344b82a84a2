// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"math"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
	"nuconntrack/ipc"
)

func actMethods() []method {
	connections := param{types: []string{typeArray}}
	watch := param{types: []string{typeInt}, optional: true}
	options := param{types: []string{typeStruct}, optional: true}
	return []method{
		{name: "kill", returns: typeBool, run: (*Server).kill,
			params: []param{connections, options},
			help: "kill(session_id, connections, options = {}): removes connections, an array of keys (exact) or ids, from " +
				"the kernel's table. All that can be removed are; if any could not, the fault has the code " +
				"of the first of these and names each. Whether packets that still come make a new " +
				"connection is up to the firewall's rules. The very connection that the call came in on " +
				"is not killed (fault 3) unless options has force = true; behind a proxy that is the " +
				"proxy's connection."},
		{name: "change", returns: typeBool, run: (*Server).change,
			params: []param{{types: []string{typeString}}, {types: []string{typeString, typeInt}},
				{types: []string{typeString, typeInt}}},
			help: "change(session_id, field, connection, value): sets a field of one connection, named by " +
				"key or id. mark: a number, or 'value/mask', also in hexadecimal: only the bits of the mask " +
				"change. timeout: seconds, 1 to 2147483, after which the connection ends whatever it does; " +
				"this can be set once and not be undone (fault 11). class: the name of a traffic class, whose bits " +
				"of the mark are set."},
		{name: "kill_report", returns: typeArray, run: (*Server).killReport,
			params: []param{connections, watch, options},
			help: "kill_report(session_id, connections, watch_seconds = 0, options = {}): like kill, but returns " +
				"an array of structs in the order of connections: id, key, outcome, detail. The outcome is killed, gone, " +
				"replaced, protected, forbidden, ambiguous, unknown, returned or failed; detail is for people. " +
				"With watch_seconds, at most 5, killed connections are looked for again for so long: those that " +
				"are back have returned. The connection that the call came in on is forbidden unless " +
				"options has force = true."},
		{name: "kill_matching", returns: typeArray, run: (*Server).killMatching,
			params: []param{{types: []string{typeStruct}}, {types: []string{typeString}}, watch, options},
			help: "kill_matching(session_id, filters, snapshot, watch_seconds = 0, options = {}): removes exactly " +
				"the connections that match filters, as in view, in that snapshot (fault 12 if it is no longer " +
				"held), at most 20000, and returns what kill_report does. Options are those of kill_report."},
	}
}

func (s *Server) kill(r *request) (answer, error) {
	refs, err := refsOf(r.params[0])
	if err != nil {
		return nil, err
	}
	o, err := r.params.killOptions(1)
	if err != nil {
		return nil, err
	}
	return nothing, r.call.Kill(r.ctx, refs, o)
}

// killOptions reads the struct that ends the parameters of what kills.
func (p params) killOptions(i int) (o service.KillOptions, err error) {
	members, err := p.structure(i, "options")
	if err != nil {
		return o, err
	}
	for _, m := range members {
		if m.Name != "force" {
			return o, service.BadParam("options: there is no option %s", quoted(m.Name))
		}
		if m.Value.Kind != xmlrpc.KindBool {
			return o, service.BadParam("options: force: want a boolean, not %s", m.Value.Kind)
		}
		o.Force = m.Value.Int != 0
	}
	return o, nil
}

// refsOf reads what names connections.
func refsOf(list xmlrpc.Value) ([]service.Ref, error) {
	if list.Kind != xmlrpc.KindArray {
		return nil, service.BadParam("connections: want an array of keys or ids, not %s", list.Kind)
	}
	refs := make([]service.Ref, len(list.Items))
	for i, v := range list.Items {
		var err error
		if refs[i], err = ref(v); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

func (s *Server) change(r *request) (answer, error) {
	field, err := r.params.text(0, "field", "")
	if err != nil {
		return nil, err
	}
	connection, err := ref(r.params[1])
	if err != nil {
		return nil, err
	}
	change, err := changeOf(r.call, field, r.params[2])
	if err != nil {
		return nil, err
	}
	return nothing, r.call.Change(r.ctx, connection, change)
}

func changeOf(call *service.Call, field string, v xmlrpc.Value) (ipc.Change, error) {
	switch field {
	case ipc.FieldMark.String():
		value, mask, err := mark(v)
		return ipc.Change{Field: ipc.FieldMark, Value: value, Mask: mask}, err
	case ipc.FieldTimeout.String():
		n, err := number(v, "timeout", math.MaxUint32)
		if err != nil {
			return ipc.Change{}, err
		}
		return service.TimeoutChange(n)
	}
	if field == "class" {
		if v.Kind != xmlrpc.KindString {
			return ipc.Change{}, service.BadParam("class: want its name, not %s", v.Kind)
		}
		return call.ChangeOfClass(v.Text)
	}
	return ipc.Change{}, service.NoSuchChange(field)
}
