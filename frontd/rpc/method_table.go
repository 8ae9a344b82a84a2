// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"strings"
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/xmlrpc"
	"nuconntrack/ipc"
)

// timeLayout is RFC 3339 with milliseconds; times are UTC.
const timeLayout = "2006-01-02T15:04:05.000Z"

func tableMethods() []method {
	optional := func(types ...string) param { return param{types: types, optional: true} }
	return []method{
		{name: "view", returns: typeStruct, run: (*Server).view,
			params: []param{optional(typeStruct), optional(typeString), optional(typeString),
				optional(typeInt), optional(typeInt), optional(typeStruct)},
			help: "view(session_id, filters = {}, order_by = 'orig_src', order_dir = 'ASC', start = 0, " +
				"length = the longest page, options = {}): a page of the connections that match all " +
				"filters. Returns table (array of structs), total (that match), start, length (rows in " +
				"this page), count (in the table), snapshot, taken, warnings. A filter's value is a value, " +
				"an array of them (any of), or a string with an operator: 10.0.0.0/8, 1024-65535, >=1000, " +
				"!22, 0x10/0xf0. The member expr is an expression, such as 'tcp and dport 80,443 and not " +
				"state established and rate > 100k'. Call fields for what can be filtered and sorted. Options: fields (array " +
				"of names: only these), snapshot (a page of that table)."},
		{name: "refresh", returns: typeBool, run: (*Server).refresh,
			help: "refresh(session_id): the session's next view shows a table that was read after this call."},
		{name: "set_autorefresh", returns: typeBool, run: (*Server).setAutorefresh,
			params: []param{{types: []string{typeInt, typeBool}}},
			help: "set_autorefresh(session_id, refresh): 1 (the default): views read the table again when " +
				"it is too old. 0: the session keeps the table it has until refresh."},
		{name: "fields", returns: typeArray, run: (*Server).fields,
			help: "fields(session_id): what can be known of a connection, as an array of structs: name, " +
				"type, filter and sort (whether it may be used so), help."},
		{name: "stats", returns: typeStruct, run: (*Server).stats,
			help: "stats(session_id): the kernel's connection table as a whole: count, max, buckets, " +
				"accounting, timestamps, tcp_loose, and the kernel's counters, summed over all processors: " + counterNames() +
				". What is not known is left out. kills_watched and kills_returned: of the connections that were " +
				"killed and watched since the daemon started, how many there were and how many came back. Where " +
				"traffic classes are configured: classes, an array of structs with name, mark (value/mask), " +
				"connections and the sums of groups, of the table that a view would show, and unclassified, how " +
				"many connections are of no class."},
	}
}

// counterNames are the members of stats with what the kernel counts.
func counterNames() string {
	names := ipc.CounterNames()
	return strings.Join(names[:], ", ")
}

func (s *Server) view(r *request) (answer, error) {
	req, err := s.viewRequest(r.params)
	if err != nil {
		return nil, err
	}
	v, err := r.call.View(r.ctx, req)
	if err != nil {
		return nil, err
	}
	return func(w *xmlrpc.Writer) { writeView(w, v) }, nil
}

func (s *Server) viewRequest(p params) (req service.ViewRequest, err error) {
	if req.Filters, err = p.filters(0); err != nil {
		return req, err
	}
	if req.OrderBy, err = p.choice(1, "order_by"); err != nil {
		return req, err
	}
	if req.OrderDir, err = p.choice(2, "order_dir"); err != nil {
		return req, err
	}
	if req.Start, err = p.count(3, "start", 0); err != nil {
		return req, err
	}
	if req.Length, err = p.count(4, "length", s.cfg.Service.MaxPage()); err != nil {
		return req, err
	}
	options, err := p.structure(5, "options")
	if err != nil {
		return req, err
	}
	return req, viewOptions(&req, options)
}

func viewOptions(req *service.ViewRequest, options []xmlrpc.Member) error {
	for _, m := range options {
		switch m.Name {
		case "fields":
			if m.Value.Kind != xmlrpc.KindArray {
				return service.BadParam("options.fields: want an array of strings, not %s", m.Value.Kind)
			}
			req.Fields = make([]string, 0, len(m.Value.Items))
			for _, v := range m.Value.Items {
				if v.Kind != xmlrpc.KindString {
					return service.BadParam("options.fields: want an array of strings, one is %s", v.Kind)
				}
				req.Fields = append(req.Fields, v.Text)
			}
		case "snapshot":
			var err error
			if req.Snapshot, err = snapshotOption(m.Value); err != nil {
				return err
			}
		default:
			return unknownOption(m.Name)
		}
	}
	return nil
}

func snapshotOption(v xmlrpc.Value) (string, error) {
	if v.Kind != xmlrpc.KindString || v.Text == "" {
		return "", service.BadParam("options.snapshot: want the name of a snapshot")
	}
	return v.Text, nil
}

func unknownOption(name string) error {
	return service.BadParam("options: there is no option %s", quoted(name))
}

func writeView(w *xmlrpc.Writer, v service.View) {
	w.BeginStruct()
	w.Member("table")
	w.BeginArray()
	for _, row := range v.Rows {
		w.BeginStruct()
		for i := range v.Fields {
			f := &v.Fields[i]
			if value, ok := f.Value(v.Table, row); ok {
				w.Member(f.Name)
				writeValue(w, value)
			}
		}
		w.EndStruct()
	}
	w.EndArray()
	for _, n := range [...]struct {
		name  string
		value int
	}{{"total", v.Total}, {"start", v.Start}, {"length", len(v.Rows)}, {"count", v.Count}} {
		w.Member(n.name)
		w.Int(n.value)
	}
	w.Member("snapshot")
	w.String(v.Table.Name())
	w.Member("taken")
	w.String(wireTime(v.Table.Taken()))
	w.Member("warnings")
	writeWarnings(w, v.Warnings)
	w.EndStruct()
}

func wireTime(t time.Time) string { return t.UTC().Format(timeLayout) }

func writeValue(w *xmlrpc.Writer, v table.Value) {
	switch v.Kind {
	case table.KindInt:
		w.Int(int(v.Num))
	case table.KindU32:
		w.U32(uint32(v.Num))
	case table.KindU64:
		w.U64(v.Num)
	case table.KindBool:
		w.Bool(v.Num != 0)
	case table.KindAddr:
		w.String(v.Addr.String())
	default:
		w.String(v.Text)
	}
}

func (s *Server) refresh(r *request) (answer, error) {
	r.call.Refresh()
	return nothing, nil
}

func (s *Server) setAutorefresh(r *request) (answer, error) {
	v := r.params[0]
	if v.Kind == xmlrpc.KindBool {
		r.call.SetAutorefresh(v.Int != 0)
		return nothing, nil
	}
	n, err := number(v, "refresh", 1)
	if err != nil {
		return nil, err
	}
	r.call.SetAutorefresh(n != 0)
	return nothing, nil
}

func (s *Server) fields(r *request) (answer, error) {
	all := r.call.Fields()
	return func(w *xmlrpc.Writer) {
		w.BeginArray()
		for _, f := range all {
			w.BeginStruct()
			w.Member("name")
			w.String(f.Name)
			w.Member("type")
			w.String(f.Type)
			w.Member("filter")
			w.Bool(f.Filter)
			w.Member("sort")
			w.Bool(f.Sort)
			w.Member("help")
			w.String(f.Help)
			w.EndStruct()
		}
		w.EndArray()
	}, nil
}

func (s *Server) stats(r *request) (answer, error) {
	st, err := r.call.Stats(r.ctx)
	if err != nil {
		return nil, err
	}
	classes, err := r.call.Classes(r.ctx)
	return func(w *xmlrpc.Writer) { writeStats(w, st, s.cfg.Service.Watched(), classes) }, err
}

func writeStats(w *xmlrpc.Writer, st ipc.Stats, kills service.Tally, classes *service.Classes) {
	w.BeginStruct()
	for _, v := range [...]struct {
		name  string
		bit   uint32
		value uint32
	}{{"count", ipc.StatCount, st.Count}, {"max", ipc.StatMax, st.Max}, {"buckets", ipc.StatBuckets, st.Buckets}} {
		if st.Known&v.bit != 0 {
			w.Member(v.name)
			w.Int(int(v.value))
		}
	}
	for _, v := range [...]struct {
		name  string
		bit   uint32
		value bool
	}{{"accounting", ipc.StatAccounting, st.Accounting}, {"timestamps", ipc.StatTimestamps, st.Timestamps},
		{"tcp_loose", ipc.StatTCPLoose, st.TCPLoose}} {
		if st.Known&v.bit != 0 {
			w.Member(v.name)
			w.Bool(v.value)
		}
	}
	if st.Known&ipc.StatCPU != 0 {
		for i, name := range ipc.CounterNames() {
			w.Member(name)
			w.U64(st.PerCPU[i])
		}
	}
	w.Member("kills_watched")
	w.U64(kills.Watched)
	w.Member("kills_returned")
	w.U64(kills.Returned)
	if classes != nil {
		writeClasses(w, classes)
	}
	w.EndStruct()
}

func writeWarnings(w *xmlrpc.Writer, all []service.Warning) {
	w.BeginArray()
	for _, warning := range all {
		w.String(warning.Text)
	}
	w.EndArray()
}
