// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table/ranking"
	"nuconntrack/frontd/web/chart"
)

// Parameters of the page of those who talk most, besides the state of the table.
const (
	paramBy    = "by"
	paramOrder = "order"
)

// talkerRows is how many of them are shown.
const talkerRows = 50

// A grouping is something that connections have in common, and the quick field that asks for one
// of its groups, or the test of an expression that does.
type grouping struct{ field, quick, test string }

func groupings() []grouping {
	return []grouping{
		{field: "orig_src", quick: "src"}, {field: "orig_dst", quick: "dst"},
		{field: "orig_port_dst", test: "dport"}, {field: "proto", quick: "proto"},
	}
}

func talkerOrders() []string {
	return []string{ranking.SumRate.String(), ranking.OrderBytes, ranking.OrderConnections}
}

// talkersData is what the page shows.
type talkersData struct {
	By      []choice
	Orders  []choice
	Chosen  string // name of the field
	Rows    []talker
	Groups  int
	Total   int // connections in them
	Without int
	Filter  string
	Taken   time.Time
	Age     string
	Reading bool
	Warns   []string
}

// choice is a link to the same page with another parameter.
type choice struct {
	Name, URL string
	Current   bool
}

// talker is one group.
type talker struct {
	Value, URL                               string
	Connections, Rate, Share, Sent, Received string
}

func (s *Server) showTalkers(r *request) error {
	values := r.r.URL.Query()
	q := parseQuery(values)
	by, order := groupings()[0], talkerOrders()[0]
	for _, g := range groupings() {
		if g.field == values.Get(paramBy) {
			by = g
		}
	}
	if slices.Contains(talkerOrders(), values.Get(paramOrder)) {
		order = values.Get(paramOrder)
	}
	if q.checkHere(r.call); len(q.problems) > 0 {
		return r.redirect(q.at(pathTable)) // where it is told what is wrong
	}
	g, err := r.groupsInTurn(service.GroupRequest{
		By: by.field, Filters: q.filters(), OrderBy: order, Length: talkerRows, Soon: true,
	})
	if err != nil {
		return err
	}
	d := talkersData{
		Chosen: columnName(r.lang, by.field), Groups: g.Total, Total: g.All.Connections, Without: g.Without,
		Filter: filterWords(q), Taken: g.Taken, Age: r.lang.Ago(time.Since(g.Taken)), Reading: g.Reading,
	}
	for _, w := range g.Warnings {
		d.Warns = append(d.Warns, r.lang.Text("warning."+w.Kind))
	}
	for _, g := range groupings() {
		d.By = append(d.By, choice{columnName(r.lang, g.field), q.at(pathTalkers, paramBy, g.field, paramOrder, order), g == by})
	}
	for _, o := range talkerOrders() {
		d.Orders = append(d.Orders, choice{r.lang.Text("talkers.order." + o), q.at(pathTalkers, paramBy, by.field, paramOrder, o), o == order})
	}
	all, _ := g.All.Sum(ranking.SumRate)
	for _, found := range g.Groups {
		d.Rows = append(d.Rows, r.talker(q, by, found, all))
	}
	return s.show(r, http.StatusOK, "talkers", r.lang.Text("talkers.title"), q.at(pathTalkers), d)
}

// narrowed is the state of the connections of one group, from the first of the newest table on. A
// port is asked for in the expression, since the box for it means either end.
func (q query) narrowed(by grouping, value string) query {
	q.Quick, q.Start, q.Snapshot = maps.Clone(q.Quick), 0, ""
	if by.test == "" {
		q.Quick[by.quick] = value
		return q
	}
	if q.Expr != "" {
		q.Expr = "(" + q.Expr + ") and "
	}
	q.Expr += by.test + " " + value
	return q
}

// talker writes one group; its link leads to its connections.
func (r *request) talker(q query, by grouping, g ranking.Group, all uint64) talker {
	name := write(r.lang, by.field, g.Value)
	t := talker{Value: name, Connections: r.lang.Number(uint64(g.Connections)), Rate: nothing, Share: nothing, Sent: nothing, Received: nothing}
	t.URL = q.narrowed(by, name).at(pathTable)
	if rate, ok := g.Sum(ranking.SumRate); ok {
		t.Rate = r.lang.Rate(rate)
		if all > 0 {
			t.Share = r.lang.Share(rate, all)
		}
	}
	if n, ok := g.Sum(ranking.SumOrigBytes); ok {
		t.Sent = r.lang.Bytes(n)
	}
	if n, ok := g.Sum(ranking.SumReplBytes); ok {
		t.Received = r.lang.Bytes(n)
	}
	return t
}

// chartData is how fast all that matches went over the last minutes.
type chartData struct {
	chart.Drawing
	Text string // the same in words
	Top  string // the rate at the upper edge
	Span string // the time across
}

// chart adds the table that is shown to what this session has seen of the same filter, and draws
// that. Nothing is read for it: where nobody looked, there is a gap. nil: there is nothing to draw.
func (r *request) chart(q query, v service.View) *chartData {
	if !r.may("groups") {
		return nil
	}
	history, name := &r.notes().history, filterName(q)
	if history.Needs(name, v.Table.Taken()) {
		g, err := r.call.Groups(r.r.Context(), service.GroupRequest{
			By: "orig_l3proto", Filters: q.filters(), Snapshot: v.Table.Name(),
		})
		if rate, known := g.All.Sum(ranking.SumRate); err == nil && known {
			history.Add(name, chart.Point{At: v.Table.Taken(), Value: rate})
		}
	}
	d := chartData{Drawing: chart.Draw(history.Points(name))}
	if d.Line == "" {
		return nil
	}
	d.Top, d.Span = r.lang.Rate(d.Peak.Value), r.lang.Seconds(uint64(d.Drawing.Span/time.Second))
	d.Text = r.lang.Text("chart.text", r.lang.Rate(d.Last.Value), d.Top, r.lang.Clock(d.Peak.At), d.Span)
	return &d
}

// filterName tells one filter from another.
func filterName(q query) string {
	var b strings.Builder
	b.WriteString(strconv.Quote(q.Expr))
	for _, k := range quicks() {
		b.WriteString(strconv.Quote(q.Quick[k.Param]))
	}
	return b.String()
}
