// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
)

// tableData is what the page of the table shows.
type tableData struct {
	Query  query
	Boxes  []box
	Hidden []pair // the rest of the state, for the form of the filter
	Expr   *problemText
	Wrong  []string // what else is wrong with the address
	Menu   []option
	Clear  string // the address without a filter
	Sizes  []option

	Refresh bool     // the script may read it again
	Failure *failure // there is no table for this reason; nil if there is one
	Notice  string
	Rows    []row
	Heads   []heading
	Count   int // connections that the user may see
	Total   int // that match
	First   int // of the rows, counted from 1
	Last    int
	Taken   time.Time
	Age     string
	Reading bool
	Pinned  bool // a page of a table that is kept, not the newest
	Newest  string
	Frames  pages
	Warns   []string
	Name    string // of the snapshot
	Chart   *chartData
	Killing bool // the user may kill
	All     bool // and all that match
	Many    bool // which are more than one call kills
}

// pages are the addresses of other pages; "" where there is none.
type pages struct{ First, Previous, Next, Last string }

// pair is a hidden field of a form.
type pair struct{ Name, Value string }

// box is a quick field.
type box struct {
	Name, Label, Value, Hint string
	Wrong                    *problemText
}

// problemText is what is wrong with a box, in words.
type problemText struct {
	Text   string // at which character
	Detail string // what
}

// row is a connection.
type row struct {
	Key   string
	Label string
	URL   string
	Cells []cell
}

type cell struct {
	Text   string
	Number bool
	Head   string // what its column is called, where rows are written below each other
	NAT    string // what is translated there, after the text: "" for nothing
}

func (s *Server) showTable(r *request) error {
	q := parseQuery(r.r.URL.Query())
	q.checkHere(r.call)
	q.checkFields(r.call.Fields())
	if tidy := q.at(pathTable); len(q.problems) == 0 && untidy(r.r.URL.Query()) {
		return r.redirect(tidy)
	}
	d := tableData{Query: q, Boxes: r.boxes(q), Hidden: hidden(q), Menu: r.columnMenu(q), Sizes: r.sizes(q)}
	d.Expr = r.problemText(q.problem(paramExpr))
	for _, p := range q.problems {
		if text := "wrong." + p.Param; r.lang.Has(text) {
			d.Wrong = append(d.Wrong, r.lang.Text(text))
		}
	}
	empty := q
	empty.Expr, empty.Quick, empty.Start, empty.Snapshot = "", nil, 0, ""
	d.Clear = empty.at(pathTable)
	status := http.StatusOK
	if d.Expr != nil || len(q.problems) > 0 {
		// What stood there before would pass for what matches.
		status = http.StatusBadRequest
	} else if err := s.fill(r, &d); err != nil {
		fault, ok := service.AsFault(err)
		if !ok {
			return err
		}
		var why failure
		status, why = s.explain(r, fault)
		d.Failure = &why
	}
	d.Refresh = len(q.problems) == 0 && d.Query.Snapshot == ""
	return s.show(r, status, "table", r.lang.Text("table.title"), q.at(pathTable), d)
}

// untidy says that an address has what forms send and nobody wants to send to a colleague: empty
// parameters, and one for each column.
func untidy(values url.Values) bool {
	for _, all := range values {
		if len(all) != 1 || all[0] == "" {
			return true
		}
	}
	return false
}

// fill reads the table. A page of one that is gone becomes the same page of the newest.
func (s *Server) fill(r *request, d *tableData) error {
	ask := service.ViewRequest{
		Filters: d.Query.filters(), OrderBy: d.Query.Sort, OrderDir: "ASC",
		Start: d.Query.Start, Length: d.Query.Size, Fields: []string{"key"}, Snapshot: d.Query.Snapshot, Soon: true,
	}
	if d.Query.Desc {
		ask.OrderDir = "DESC"
	}
	v, err := r.call.View(r.r.Context(), ask)
	if fault, ok := service.AsFault(err); ok && fault.Code == service.CodeSnapshot {
		d.Notice = r.lang.Text("table.gone")
		d.Query.Snapshot, ask.Snapshot = "", ""
		v, err = r.call.View(r.r.Context(), ask)
	}
	if err != nil {
		return err
	}
	d.Heads = r.headings(d.Query)
	d.Rows = r.rows(d.Query, v)
	d.Count, d.Total, d.Name = v.Count, v.Total, v.Table.Name()
	d.First, d.Last = min(v.Start+1, v.Total), v.Start+len(v.Rows)
	d.Taken, d.Age = v.Table.Taken(), r.lang.Ago(time.Since(v.Table.Taken()))
	d.Reading, d.Pinned = v.Reading, d.Query.Snapshot != ""
	d.Newest = d.Query.page(0, "")
	d.Frames = frames(d.Query, v)
	for _, w := range v.Warnings {
		d.Warns = append(d.Warns, r.lang.Text("warning."+w.Kind))
	}
	if !d.Pinned {
		d.Chart = r.chart(d.Query, v)
	}
	d.Killing = r.may("kill_report")
	d.All, d.Many = r.may("kill_matching") && v.Total > 0, v.Total > service.MaxMatching
	return nil
}

func (r *request) rows(q query, v service.View) []row {
	var fields []table.Field
	var heads []string
	for _, name := range q.columns() {
		if f, ok := table.FieldNamed(name); ok {
			fields, heads = append(fields, f), append(heads, columnName(r.lang, name))
		}
	}
	address := q.at(pathTable)
	rows := make([]row, len(v.Rows))
	cells := make([]cell, len(v.Rows)*len(fields))
	for i, at := range v.Rows {
		key := v.Table.Key(at)
		rows[i] = row{Key: key, Label: labelOf(v.Table, at), URL: connectionAt(key, address)}
		rows[i].Cells, cells = cells[:len(fields):len(fields)], cells[len(fields):]
		t := v.Table.Target(at)
		for j, f := range fields {
			rows[i].Cells[j] = cell{show(r.lang, v.Table, at, &f), aligned(f.Name), heads[j], translated(f.Name, t)}
		}
	}
	return rows
}

// frames are the pages around this one. They are of the same table, so that nothing is skipped
// or shown twice.
func frames(q query, v service.View) (p pages) {
	name := v.Table.Name()
	if v.Start > 0 {
		p.First = q.page(0, name)
		p.Previous = q.page(max(0, min(v.Start, v.Total)-q.Size), name)
	}
	if v.Start+len(v.Rows) < v.Total {
		p.Next = q.page(v.Start+q.Size, name)
		p.Last = q.page((v.Total-1)/q.Size*q.Size, name)
	}
	return p
}

func (r *request) boxes(q query) []box {
	var all []box
	for _, k := range quicks() {
		all = append(all, box{
			Name: k.Param, Label: r.lang.Text("quick." + k.Param), Value: q.Quick[k.Param],
			Hint: r.lang.Text("quick." + k.Param + ".hint"), Wrong: r.problemText(q.problem(k.Param)),
		})
	}
	return all
}

func (r *request) problemText(p *problem) *problemText {
	if p == nil {
		return nil
	}
	if p.Column > 0 {
		return &problemText{r.lang.Text("filter.wrong.at", p.Column), r.say(p.Reason)}
	}
	return &problemText{r.lang.Text("filter.wrong"), r.say(p.Reason)}
}

// hidden is the state that the form of the filter has no box for. A new filter begins at the
// first page of the newest table.
func hidden(q query) []pair {
	q.Expr, q.Quick, q.Start, q.Snapshot, q.Columns = "", nil, 0, "", nil
	var all []pair
	values := q.values()
	for _, name := range []string{paramSort, paramDesc, paramLanguage} {
		if values.Has(name) {
			all = append(all, pair{name, values.Get(name)})
		}
	}
	return all
}

func (r *request) sizes(q query) []option {
	var all []option
	for _, n := range []int{25, defaultSize, 250, 500, maxSize} {
		all = append(all, option{Value: strconv.Itoa(n), Name: r.lang.Number(uint64(n)), Chosen: n == q.Size})
	}
	return all
}
