// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nuconntrack/frontd/table"
	"nuconntrack/frontd/web/text"
)

func defaultColumns() []string {
	return []string{"proto", "orig_src", "orig_port_src", "orig_dst", "orig_port_dst", "state",
		"byte_rate", "orig_counter_bytes", "repl_counter_bytes", "timeout", "mark"}
}

// offeredColumns are the fields that the menu of columns has: all that sort, but those of which
// another has the same for every protocol or family.
func offeredColumns(fields []table.Field) []string {
	var names []string
	for _, f := range fields {
		double := strings.Contains(f.Name, "_ipv4_") || strings.Contains(f.Name, "_ipv6_") ||
			slices.Contains([]string{"key", "orig_l4proto", "tcp_state"}, f.Name)
		if f.Sort && !double {
			names = append(names, f.Name)
		}
	}
	return names
}

// columnName is what a column is called; a field without a text is called by its name.
func columnName(l *text.Language, field string) string {
	if key := "column." + field; l.Has(key) {
		return l.Text(key)
	}
	return field
}

// nothing stands where a connection lacks a field.
const nothing = "–"

// show writes what a field of a row holds.
func show(l *text.Language, s *table.Snapshot, row int32, f *table.Field) string {
	v, ok := f.Value(s, row)
	if !ok {
		return nothing
	}
	return write(l, f.Name, v)
}

// write writes a value as people read it.
func write(l *text.Language, field string, v table.Value) string {
	switch v.Kind {
	case table.KindBool:
		if v.Num != 0 {
			return l.Text("value.yes")
		}
		return l.Text("value.no")
	case table.KindAddr:
		return v.Addr.String()
	case table.KindText:
		if field == "start" {
			if t, err := time.Parse(time.RFC3339, v.Text); err == nil {
				return l.Time(t)
			}
		}
		return clean(v.Text)
	}
	switch {
	case strings.HasSuffix(field, "_rate"):
		return l.Rate(v.Num)
	case strings.HasSuffix(field, "_bytes"):
		return l.Bytes(v.Num)
	case strings.HasSuffix(field, "_packets"):
		return l.Number(v.Num)
	case field == "timeout" || field == "age":
		return l.Seconds(v.Num)
	case field == "mark" || field == "status":
		return fmt.Sprintf("%#x", v.Num)
	}
	// Ports, ids and the like are names: they have no groups of digits.
	return strconv.FormatUint(v.Num, 10)
}

// aligned says which columns are numbers whose digits stand below each other.
func aligned(field string) bool {
	for _, suffix := range []string{"_rate", "_bytes", "_packets", "_src", "_dst", "_id"} {
		if strings.HasSuffix(field, suffix) {
			return strings.HasPrefix(field, "orig_port") || strings.HasPrefix(field, "repl_port") || suffix[1] != 's' && suffix[1] != 'd'
		}
	}
	return slices.Contains([]string{"timeout", "age", "mark", "use", "id", "status"}, field)
}

// heading is the head of a column.
type heading struct {
	Field, Name string
	Number      bool
	URL         string
	Sort        string // value of aria-sort; "" where the table is not in this order
	Hint        string // what the link does
}

func (r *request) headings(q query) []heading {
	var all []heading
	for _, name := range q.columns() {
		h := heading{Field: name, Name: columnName(r.lang, name), Number: aligned(name)}
		desc := h.Number // large numbers are looked for more often than small ones
		if name == q.Sort {
			desc = !q.Desc
			h.Sort = "ascending"
			if q.Desc {
				h.Sort = "descending"
			}
		}
		h.URL = q.sorted(name, desc)
		h.Hint = r.lang.Text("sort.up", h.Name)
		if desc {
			h.Hint = r.lang.Text("sort.down", h.Name)
		}
		all = append(all, h)
	}
	return all
}

// option is a box of the menu of columns.
type option struct {
	Value, Name string
	Chosen      bool
}

func (r *request) columnMenu(q query) []option {
	var all []option
	offered := offeredColumns(r.call.Fields())
	for _, name := range q.columns() {
		if !slices.Contains(offered, name) {
			offered = append(offered, name)
		}
	}
	for _, name := range offered {
		all = append(all, option{name, columnName(r.lang, name), slices.Contains(q.columns(), name)})
	}
	return all
}

// bits writes a number as bits are written.
func bits(n uint32) string { return fmt.Sprintf("%#x", n) }
