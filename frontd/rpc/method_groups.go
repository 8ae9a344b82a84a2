// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"fmt"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table/ranking"
	"nuconntrack/frontd/xmlrpc"
)

func groupMethods() []method {
	optional := func(types ...string) param { return param{types: types, optional: true} }
	return []method{
		{name: "groups", returns: typeStruct, run: (*Server).groups,
			params: []param{{types: []string{typeString}}, optional(typeStruct), optional(typeString),
				optional(typeString), optional(typeInt), optional(typeInt), optional(typeStruct)},
			help: "groups(session_id, by, filters = {}, order_by = 'byte_rate', order_dir = 'DESC', start = 0, " +
				"length = 20, options = {}): adds up the connections that match all filters, as in view, by " +
				"one field: orig_src for the top talkers, orig_dst, orig_port_dst, proto, state, mark, zone " +
				"and so on. Returns groups (array of structs: value, always a string; connections; and the sums " +
				"orig_counter_packets, orig_counter_bytes, repl_counter_packets, repl_counter_bytes, " +
				"orig_byte_rate, repl_byte_rate, byte_rate, each over those members that have the field, and " +
				"left out where none has), all (a struct like a group without value, of all connections that " +
				"match), connections (that match), without (of these, those that lack the field and so are in " +
				"no group), total (groups that there are), start, length (groups in this answer), count (in the " +
				"table), snapshot, taken, warnings. order_by is connections, value, bytes or packets (of both " +
				"directions), or one of the sums; groups without it come last, and ties are broken by value. " +
				"Options: snapshot (the groups of that table)."},
	}
}

func (s *Server) groups(r *request) (answer, error) {
	req, err := groupRequest(r.params)
	if err != nil {
		return nil, err
	}
	g, err := r.call.Groups(r.ctx, req)
	if err != nil {
		return nil, err
	}
	return func(w *xmlrpc.Writer) { writeGroups(w, g) }, nil
}

func groupRequest(p params) (req service.GroupRequest, err error) {
	if req.By, err = p.text(0, "by", ""); err != nil {
		return req, err
	}
	if req.Filters, err = p.filters(1); err != nil {
		return req, err
	}
	if req.OrderBy, err = p.choice(2, "order_by"); err != nil {
		return req, err
	}
	if req.OrderDir, err = p.choice(3, "order_dir"); err != nil {
		return req, err
	}
	if req.Start, err = p.count(4, "start", 0); err != nil {
		return req, err
	}
	if req.Length, err = p.count(5, "length", service.DefaultGroups); err != nil {
		return req, err
	}
	options, err := p.structure(6, "options")
	if err != nil {
		return req, err
	}
	for _, m := range options {
		if m.Name != "snapshot" {
			return req, unknownOption(m.Name)
		}
		if req.Snapshot, err = snapshotOption(m.Value); err != nil {
			return req, err
		}
	}
	return req, nil
}

func writeGroups(w *xmlrpc.Writer, g service.Groups) {
	w.BeginStruct()
	w.Member("groups")
	w.BeginArray()
	for i := range g.Groups {
		w.BeginStruct()
		w.Member("value")
		w.String(g.Groups[i].Value.String())
		writeTotals(w, &g.Groups[i].Totals)
		w.EndStruct()
	}
	w.EndArray()
	w.Member("all")
	w.BeginStruct()
	writeTotals(w, &g.All)
	w.EndStruct()
	for _, n := range [...]struct {
		name  string
		value int
	}{{"connections", g.All.Connections}, {"without", g.Without}, {"total", g.Total},
		{"start", g.Start}, {"length", len(g.Groups)}, {"count", g.Count}} {
		w.Member(n.name)
		w.Int(n.value)
	}
	w.Member("snapshot")
	w.String(g.Snapshot)
	w.Member("taken")
	w.String(wireTime(g.Taken))
	w.Member("warnings")
	writeWarnings(w, g.Warnings)
	w.EndStruct()
}

// writeTotals writes the members of a struct that tell of several connections together.
func writeTotals(w *xmlrpc.Writer, t *ranking.Totals) {
	w.Member("connections")
	w.Int(t.Connections)
	for _, n := range ranking.Sums() {
		if v, known := t.Sum(n); known {
			w.Member(n.String())
			w.U64(v)
		}
	}
}

// writeClasses writes members of a struct.
func writeClasses(w *xmlrpc.Writer, all *service.Classes) {
	w.Member("classes")
	w.BeginArray()
	for i := range all.Classes {
		c := &all.Classes[i]
		w.BeginStruct()
		w.Member("name")
		w.String(c.Name)
		w.Member("mark")
		w.String(fmt.Sprintf("%#x/%#x", c.Value, c.Mask))
		writeTotals(w, &c.Totals)
		w.EndStruct()
	}
	w.EndArray()
	w.Member("unclassified")
	w.Int(all.Unclassified)
}
