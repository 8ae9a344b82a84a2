// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"time"

	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ranking"
	"nuconntrack/frontd/table/store"
)

// ViewRequest asks for a page of the table. The zero value asks for the first rows by
// original source, with all fields, of a table that is fresh enough.
type ViewRequest struct {
	Filters  map[string]table.Operand
	OrderBy  string   // "" is orig_src
	OrderDir string   // "" is ASC
	Start    int      // rows to leave out, at least 0
	Length   int      // rows at most, at least 0; no more than MaxPage are given
	Fields   []string // nil: every field that a row has and that is listed
	Snapshot string   // "": see API, Freshness
	// Soon takes a table that is too old while a newer one is being read, rather than wait
	// for that; see store.Store.Soon. It is not for sessions without autorefresh.
	Soon bool
}

// View is a page of the table. It may be kept as long as its client reads.
type View struct {
	Table    *table.Snapshot // or an excerpt of it
	Rows     []int32         // of Table
	Fields   []table.Field
	Total    int // connections that match
	Count    int // connections that the user may see
	Start    int
	Warnings []Warning
	Reading  bool // with ViewRequest.Soon: a newer table is being read
}

// MaxPage is how many rows a view gives at most.
func (s *Service) MaxPage() int { return s.settings.Load().MaxPage }

// View cuts a page out of the table.
func (c *Call) View(ctx context.Context, r ViewRequest) (View, error) {
	query, fields, err := c.query(r)
	if err != nil {
		return View{}, c.failed("view", err)
	}
	snap, reading, err := c.lookOrSoon(ctx, r.Snapshot, r.Soon)
	if err != nil {
		return View{}, c.failed("view", err)
	}
	query.Visible = c.role.visible
	page, err := ranking.Rows(snap, query)
	if err != nil {
		return View{}, c.failed("view", err)
	}
	excerpt, rows := snap.Excerpt(page.Rows)
	return View{
		Table: excerpt, Rows: rows, Fields: fields, Total: page.Total, Count: page.Count,
		Start: r.Start, Warnings: c.warnings(snap), Reading: reading,
	}, nil
}

// query checks all that can be wrong with a request before anything is read.
func (c *Call) query(r ViewRequest) (ranking.Query, []table.Field, error) {
	if err := checkRange(r.Start, r.Length); err != nil {
		return ranking.Query{}, nil, err
	}
	filter, err := c.set.filter(r.Filters)
	if err != nil {
		return ranking.Query{}, nil, err
	}
	if r.OrderBy == "" {
		r.OrderBy = "orig_src"
	}
	if r.OrderDir == "" {
		r.OrderDir = "ASC"
	}
	order, desc, err := ranking.ParseOrder(r.OrderBy, r.OrderDir)
	if err != nil {
		return ranking.Query{}, nil, err
	}
	if by, ok := table.FieldNamed(order); ok {
		if err := c.set.shown("order_by", &by); err != nil {
			return ranking.Query{}, nil, err
		}
	}
	fields, err := c.set.fieldsOf(r.Fields)
	if err != nil {
		return ranking.Query{}, nil, err
	}
	return ranking.Query{
		Filter: filter, OrderBy: order, Desc: desc,
		Start: r.Start, Length: min(r.Length, c.set.MaxPage),
	}, fields, nil
}

func checkRange(start, length int) error {
	if start < 0 || length < 0 {
		return BadParam("start and length cannot be negative")
	}
	return nil
}

// Fields are those that a connection can have here.
func (c *Call) Fields() []table.Field { return c.set.fields() }

// fieldsOf finds the fields with these names, each once; nil stands for those listed.
func (set *settings) fieldsOf(names []string) ([]table.Field, error) {
	if names == nil {
		return set.listed, nil
	}
	var fields []table.Field
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		f, ok := table.FieldNamed(name)
		if !ok || !f.Listed && !f.Sort {
			return nil, BadParam("options.fields: there is no field %q", cut(name))
		}
		if err := set.shown("options.fields", &f); err != nil {
			return nil, err
		}
		if !seen[name] {
			seen[name] = true
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// lookOrSoon is look, or for who cannot wait the table that there is; reading says that a
// newer one is on its way. Who asked for a refresh waits for it.
func (c *Call) lookOrSoon(ctx context.Context, name string, soon bool) (snap *table.Snapshot, reading bool, err error) {
	_, _, notBefore := c.remembered()
	if !soon || name != "" || !notBefore.IsZero() {
		snap, err = c.look(ctx, name)
		return snap, false, err
	}
	if snap, reading, err = c.s.tables.Soon(ctx); err == nil {
		c.hold(snap)
	}
	return snap, reading, err
}

// look gives the table that this call is to show, and holds it for the session.
func (c *Call) look(ctx context.Context, name string) (*table.Snapshot, error) {
	if name != "" {
		snap, ok := c.s.tables.Held(name)
		if !ok {
			return nil, notHeld(name)
		}
		c.hold(snap)
		return snap, nil
	}
	holder, manual, notBefore := c.remembered()
	if manual && notBefore.IsZero() {
		if snap := c.s.tables.Last(holder); snap != nil {
			return snap, nil
		}
	}
	snap, err := c.s.tables.Fresh(ctx, time.Time{})
	if err == nil && snap.Taken().Before(notBefore) {
		snap, err = c.s.tables.Fresh(ctx, notBefore)
	}
	if err != nil {
		return nil, err
	}
	c.hold(snap)
	return snap, nil
}

func notHeld(name string) *Fault {
	return fault(CodeSnapshot, "the snapshot %q is no longer held", cut(name))
}

func (c *Call) remembered() (holder *store.Holder, manual bool, notBefore time.Time) {
	c.sess.Do(func(st *state) { holder, manual, notBefore = st.view, st.manual, st.notBefore })
	return holder, manual, notBefore
}

// hold makes a table the one that the session viewed last. A refresh that was asked for
// is done when the table is new enough for it; one asked for meanwhile is not lost.
func (c *Call) hold(snap *table.Snapshot) {
	c.sess.Do(func(st *state) {
		if !snap.Taken().Before(st.notBefore) {
			st.notBefore = time.Time{}
		}
		c.s.tables.Hold(st.view, snap)
	})
}

// Refresh lets the session's next view show a table whose reading begins after this call.
func (c *Call) Refresh() {
	c.sess.Do(func(st *state) { st.notBefore = time.Now() })
}

// SetAutorefresh says whether views read the table again by themselves (the default), or
// only after Refresh.
func (c *Call) SetAutorefresh(on bool) {
	c.sess.Do(func(st *state) { st.manual = !on })
}

// cut shortens a name from outside for a fault's text.
func cut(s string) string {
	const longest = 64
	if len(s) > longest {
		return s[:longest] + "…"
	}
	return s
}
