// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
)

// Fields of the forms that kill. The button that was pressed says which connections are meant.
const (
	paramMarked = "marked" // the button: those whose boxes are marked
	paramAll    = "all"    // the button: all that match in the snapshot of paramSnapshot
	paramOne    = "one"    // the button of one connection, with its key
	paramForce  = "force"
	paramWatch  = "watch"
	paramCount  = "count" // with paramAll: how many the question was about
)

const (
	// watchTime is how long killed connections are looked for again, where that is asked for.
	watchTime = 2 * time.Second
	// sampleRows is how many connections the question shows of those that it is about.
	sampleRows = 10
	// maxReports is how many outcomes are shown one by one; the sums are of all.
	maxReports = 1000
)

// aim is what a form that kills is about.
type aim struct {
	refs     []service.Ref
	keys     []string // of refs; nil where all that match are meant
	all      bool
	filters  map[string]table.Operand
	snapshot string
}

// aimOf reads a form.
func (r *request) aimOf() (aim, error) {
	if r.form.Has(paramAll) {
		if err := r.call.Permit("kill_matching"); err != nil {
			return aim{}, err
		}
		_, values := back(r.form.Get(paramBack))
		q := parseQuery(values)
		if len(q.problems) > 0 {
			return aim{}, refused(http.StatusBadRequest, "error.filter")
		}
		return aim{all: true, filters: q.filters(), snapshot: r.form.Get(paramSnapshot)}, nil
	}
	if err := r.call.Permit("kill_report"); err != nil {
		return aim{}, err
	}
	var a aim
	keys := r.form[paramKey]
	if one := r.form.Get(paramOne); one != "" {
		keys = []string{one}
	}
	for _, key := range keys {
		if slices.Contains(a.keys, key) {
			continue
		}
		ref, err := service.RefText(key)
		if err != nil || labelOfKey(key) == "" {
			return aim{}, refused(http.StatusBadRequest, "error.key")
		}
		a.keys, a.refs = append(a.keys, key), append(a.refs, ref)
		if len(a.keys) > maxSize {
			return aim{}, refused(http.StatusBadRequest, "error.marked", maxSize)
		}
	}
	return a, nil
}

// killData is the question before a kill.
type killData struct {
	Count    int
	All      bool
	Filter   string // of all that match, as it was written
	Sample   []string
	More     int // that the sample leaves out
	Fields   []pair
	Back     string
	Nothing  bool // no connection was marked
	TooMany  bool
	Most     int
	Everyone bool // all that match, without any filter
}

// confirmKill asks whether these are really meant.
func (s *Server) confirmKill(r *request) error {
	a, err := r.aimOf()
	if err != nil {
		return err
	}
	d := killData{All: a.all, Back: backTo(r.form.Get(paramBack)), Most: service.MaxMatching}
	d.Fields = []pair{{paramBack, d.Back}}
	if a.all {
		if err := r.sampleMatching(a, &d); err != nil {
			return err
		}
	} else {
		d.Count, d.Nothing = len(a.keys), len(a.keys) == 0
		for _, key := range a.keys {
			d.Fields = append(d.Fields, pair{paramKey, key})
			if len(d.Sample) < sampleRows {
				d.Sample = append(d.Sample, labelOfKey(key))
			}
		}
	}
	d.More = d.Count - len(d.Sample)
	status := http.StatusOK
	if d.Nothing || d.TooMany {
		status = http.StatusBadRequest
	}
	return s.show(r, status, "kill", r.lang.Text("kill.title"), d.Back, d)
}

// sampleMatching counts what matches in the table that the user saw.
func (r *request) sampleMatching(a aim, d *killData) error {
	if a.snapshot == "" {
		return &service.Fault{Code: service.CodeSnapshot, Text: "no snapshot is named"}
	}
	v, err := r.call.View(r.r.Context(), service.ViewRequest{
		Filters: a.filters, OrderBy: defaultSort, OrderDir: "DESC", Length: sampleRows,
		Fields: []string{paramKey}, Snapshot: a.snapshot,
	})
	if err != nil {
		return err
	}
	for _, row := range v.Rows {
		d.Sample = append(d.Sample, labelOf(v.Table, row))
	}
	_, values := back(d.Back)
	q := parseQuery(values)
	d.Filter, d.Everyone = filterWords(q), !q.Filtered()
	d.Count, d.Nothing, d.TooMany = v.Total, v.Total == 0, v.Total > service.MaxMatching
	d.Fields = append(d.Fields, pair{paramAll, "1"}, pair{paramSnapshot, a.snapshot}, pair{paramCount, strconv.Itoa(v.Total)})
	return nil
}

// filterWords is a filter as it was written, in one line.
func filterWords(q query) string {
	words := q.Expr
	for _, k := range quicks() {
		if value, ok := q.Quick[k.Param]; ok {
			if words != "" {
				words += "; "
			}
			words += k.Param + ": " + value
		}
	}
	return clean(words)
}

// reportData is what became of connections.
type reportData struct {
	Sums    []fact // outcomes and how many had them
	Reports []report
	More    int
	Own     []string // keys of the connection that carries this page, which was spared
	Back    string
}

type report struct {
	Label, Outcome, Text string
	Why, Detail          string // more of it
}

// kill does it, and tells what became of each.
func (s *Server) kill(r *request) error {
	a, err := r.aimOf()
	if err != nil {
		return err
	}
	o := service.KillOptions{Force: r.form.Get(paramForce) == "1"}
	if r.form.Get(paramWatch) == "1" {
		o.Watch = watchTime
	}
	var reports []service.Report
	if a.all {
		if err := r.sameCount(a); err != nil {
			return err
		}
		reports, err = r.call.KillMatching(r.r.Context(), a.filters, a.snapshot, o)
	} else {
		reports, err = r.call.KillReport(r.r.Context(), a.refs, o)
	}
	r.call.Refresh() // so that what is gone is not shown once more
	if err != nil {
		return err
	}
	d := r.reportData(reports)
	d.Back = freshBack(r.form.Get(paramBack))
	return s.show(r, http.StatusOK, "killed", r.lang.Text("killed.title"), d.Back, d)
}

// sameCount makes sure that the question was about as many as would be killed. In one table the
// same filter matches the same, unless a reload has just changed what is hidden or the user's scope.
func (r *request) sameCount(a aim) error {
	v, err := r.call.View(r.r.Context(), service.ViewRequest{Filters: a.filters, Fields: []string{paramKey}, Snapshot: a.snapshot})
	if err == nil && strconv.Itoa(v.Total) != r.form.Get(paramCount) {
		return refused(http.StatusConflict, "error.count")
	}
	return err
}

func (r *request) reportData(reports []service.Report) reportData {
	var d reportData
	sums := map[string]int{}
	for _, rep := range reports {
		outcome := rep.Outcome
		if outcome == service.OutcomeForbidden && r.caller.Carrier.Carries(rep.Key) {
			outcome = outcomeOwn
			d.Own = append(d.Own, rep.Key)
		}
		sums[outcome]++
		if len(d.Reports) == maxReports {
			d.More++
			continue
		}
		shown := report{Label: labelOfKey(rep.Key), Outcome: outcome, Text: r.lang.Text("outcome." + outcome)}
		shown.Why, shown.Detail = r.why(outcome, rep)
		d.Reports = append(d.Reports, shown)
	}
	for _, outcome := range slices.Sorted(maps.Keys(sums)) {
		d.Sums = append(d.Sums, fact{r.lang.Text("outcome." + outcome), r.lang.Number(uint64(sums[outcome]))})
	}
	return d
}

// outcomeOwn is shown where a connection was spared because this page came over it.
const outcomeOwn = "own"

// why says what an outcome by itself does not.
func (r *request) why(outcome string, rep service.Report) (text, detail string) {
	switch outcome {
	case service.OutcomeKilled:
		if rep.Detail != "" {
			return r.lang.Text("killed.unwatched"), ""
		}
	case service.OutcomeProtected, service.OutcomeForbidden, service.OutcomeFailed:
		if rep.Fault == nil {
			return "", ""
		}
		if rep.Fault.Rule != "" {
			return r.lang.Text("killed.rule", clean(rep.Fault.Rule)), ""
		}
		f := r.faultText(rep.Fault)
		return f.Text, f.Detail
	}
	return "", ""
}

// freshBack is the state to come back to after something was done, in the newest table.
func freshBack(address string) string {
	path, values := tableOf(address)
	values.Del(paramSnapshot)
	return join(path, values)
}
