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
	watch, err := r.params.watch(1)
	if err != nil {
		return nil, err
	}
	reports, err := r.call.KillReport(r.ctx, refs, watch)
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
	watch, err := r.params.watch(2)
	if err != nil {
		return nil, err
	}
	reports, err := r.call.KillMatching(r.ctx, filters, snapshot, watch)
	return func(w *xmlrpc.Writer) { writeReports(w, reports) }, err
}

// watch reads how long to look for what was killed.
func (p params) watch(i int) (time.Duration, error) {
	if !p.has(i) {
		return 0, nil
	}
	n, err := number(p[i], "watch_seconds", uint64(service.MaxWatch/time.Second))
	return time.Duration(n) * time.Second, err
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
