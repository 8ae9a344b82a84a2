// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
)

func (s *Server) killReport(r *request) (answer, error) {
	refs, err := refsOf(r.params[0])
	if err != nil {
		return nil, err
	}
	o, err := r.params.watched(1)
	if err != nil {
		return nil, err
	}
	reports, err := r.call.KillReport(r.ctx, refs, o)
	return func(w *xmlrpc.Writer) { writeReports(w, reports) }, err
}

func (s *Server) killMatching(r *request) (answer, error) {
	if !r.params.has(0) {
		return nil, service.BadParam("filters: want a struct; an empty one matches everything")
	}
	filters, err := r.params.filters(0)
	if err != nil {
		return nil, err
	}
	snapshot, err := r.params.text(1, "snapshot", "")
	if err != nil {
		return nil, err
	}
	if snapshot == "" {
		return nil, service.BadParam("snapshot: want the name of a snapshot, which view returns")
	}
	o, err := r.params.watched(2)
	if err != nil {
		return nil, err
	}
	reports, err := r.call.KillMatching(r.ctx, filters, snapshot, o)
	return func(w *xmlrpc.Writer) { writeReports(w, reports) }, err
}

// watched reads how long to look for what was killed, and the options behind it.
func (p params) watched(i int) (o service.KillOptions, err error) {
	var n uint64
	if p.has(i) {
		if n, err = number(p[i], "watch_seconds", uint64(service.MaxWatch/time.Second)); err != nil {
			return o, err
		}
	}
	o, err = p.killOptions(i + 1)
	o.Watch = time.Duration(n) * time.Second
	return o, err
}

func writeReports(w *xmlrpc.Writer, all []service.Report) {
	w.BeginArray()
	for _, r := range all {
		w.BeginStruct()
		w.Member("id")
		w.U32(r.ID)
		w.Member("key")
		w.String(r.Key)
		w.Member("outcome")
		w.String(r.Outcome)
		w.Member("detail")
		w.String(r.Detail)
		w.EndStruct()
	}
	w.EndArray()
}
