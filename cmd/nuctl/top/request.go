// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"time"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
)

// operation is what a request asks for.
type operation int

const (
	opRefresh operation = iota + 1 // rows of a fresh table
	opScroll                       // rows of the snapshot that is shown
	opDetail                       // all about one connection
	opKill
	opSample  // how many connections match, and some of them
	opKillAll // all that match in a snapshot
	opChange
	opLogin
)

// request is a call that the state wants made.
type request struct {
	op operation
	// query, start, length and snapshot are for rows.
	query         query
	start, length int
	snapshot      string
	// keys name connections; names say in words which, in the same order.
	keys, names  []string
	field, value string
	password     string
	// total is how many opKillAll is for.
	total int
}

// count is how many connections a request acts on.
func (r request) count() int {
	if r.op == opKillAll {
		return r.total
	}
	return len(r.keys)
}

func (r request) kills() bool { return r.op == opKill || r.op == opKillAll }

// answer is what became of a request.
type answer struct {
	request request
	page    page
	reports []report
	err     error
}

// page is a part of a table, of connections or of groups.
type page struct {
	rows         []connection.Row
	start        int
	total, count int
	snapshot     string
	taken        string
	warnings     []string
	// matching, without and all are of groups: how many connections match, how many of these
	// are in no group, and what all have together.
	matching, without int
	all               connection.Row
}

// report is what became of one connection that was acted upon.
type report struct {
	key, name, outcome, detail string
	ended                      bool
}

// fault is the code of the server's fault behind an error, 0 if there is none.
func fault(err error) int {
	if call, ok := callError(err); ok && call.Kind == client.Faulted {
		return call.Code
	}
	return 0
}

// clock is the local time of day of a table's reading; false if the server sent no time.
func clock(taken string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, taken)
	return t.Local(), err == nil
}
