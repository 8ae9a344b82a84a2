// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/frontd/web/text"
	"nuconntrack/ipc"
)

// paramKey names a connection.
const paramKey = "key"

// maxKept is the length of the longest address that the links of all rows carry, bytes. From beyond
// it the browser's own way back leads back: a thousand times an address may be a lot.
const maxKept = 2 << 10

// connectionAt is the address of what is known of a connection.
func connectionAt(key, backAddress string) string {
	values := url.Values{paramKey: {key}}
	if backAddress != pathTable && len(backAddress) <= maxKept {
		values.Set(paramBack, backAddress)
	}
	return pathConnection + "?" + values.Encode()
}

// connectionData is what the page of a connection shows.
type connectionData struct {
	Key, Label  string
	Orig, Reply direction
	NAT         []string // what is translated, in sentences
	Groups      []group
	Taken       time.Time
	Age         string
	Killing     bool
	Changing    bool
	Classes     []option
	Mark        string // as it is now, for the form
	Fixed       bool   // the timeout cannot be changed any more
	Back        string
}

// direction is one of the two tuples.
type direction struct{ Source, Destination, Zone string }

// group is a part of what is known, with a heading.
type group struct {
	Title string
	Facts []fact
}

type fact struct{ Name, Text string }

func (s *Server) showConnection(r *request) error {
	values := r.r.URL.Query()
	home := backTo(values.Get(paramBack))
	v, row, err := r.find(values.Get(paramKey))
	if err != nil {
		return err
	}
	t := v.Table.Target(row)
	d := connectionData{
		Key: v.Table.Key(row), Label: labelOf(v.Table, row),
		Orig: directionOf(t.Orig), Reply: directionOf(t.Reply), NAT: natOf(r.lang, t),
		Groups: r.groups(v.Table, row),
		Taken:  v.Table.Taken(), Age: r.lang.Ago(time.Since(v.Table.Taken())),
		Killing: r.may("kill_report"), Changing: r.may("change"),
		Mark: r.field(v.Table, row, "mark"), Back: home,
	}
	for _, name := range r.call.ClassNames() {
		d.Classes = append(d.Classes, option{Value: name, Name: clean(name), Chosen: name == r.field(v.Table, row, fieldClass)})
	}
	fixed, _ := table.FieldNamed("fixed_timeout")
	if b, ok := fixed.Value(v.Table, row); ok {
		d.Fixed = b.Num != 0
	}
	return s.show(r, http.StatusOK, "connection", d.Label, home, d)
}

// find looks a connection up by its key in a table that is as new as can be.
func (r *request) find(key string) (v service.View, row int32, err error) {
	if _, err := ident.DecodeKey(key); err != nil {
		return v, 0, refused(http.StatusBadRequest, "error.key")
	}
	v, err = r.call.View(r.r.Context(), service.ViewRequest{
		Filters: map[string]table.Operand{paramKey: key}, Length: 1, Fields: []string{paramKey}, Soon: true,
	})
	if err != nil {
		return v, 0, err
	}
	if len(v.Rows) == 0 {
		return v, 0, &service.Fault{Code: service.CodeNoConnection, Text: "no such connection"}
	}
	return v, v.Rows[0], nil
}

func directionOf(t ipc.Tuple) direction {
	d := direction{Source: source(t), Destination: destination(t)}
	if t.Zone != 0 {
		d.Zone = strconv.Itoa(int(t.Zone))
	}
	return d
}

// natOf says in words what the firewall translates: replies go the other way round, and where
// they do not come from where the connection was opened to, or go to where it came from,
// somebody has another address there.
func natOf(l *text.Language, t ipc.Target) []string {
	var all []string
	if t.Orig.Kind != ipc.Ports || t.Reply.Kind != ipc.Ports {
		// Ids of ICMP stand where ports would, and are translated with the source.
		if t.Orig.Src != t.Reply.Dst {
			all = append(all, l.Text("nat.source", t.Orig.Src.String(), t.Reply.Dst.String()))
		}
		if t.Orig.Dst != t.Reply.Src {
			all = append(all, l.Text("nat.destination", t.Orig.Dst.String(), t.Reply.Src.String()))
		}
		return all
	}
	if from, to := source(t.Orig), destination(t.Reply); from != to {
		all = append(all, l.Text("nat.source", from, to))
	}
	if from, to := destination(t.Orig), source(t.Reply); from != to {
		all = append(all, l.Text("nat.destination", from, to))
	}
	return all
}

// field writes a field of a row, "" where the row lacks it.
func (r *request) field(s *table.Snapshot, row int32, name string) string {
	f, _ := table.FieldNamed(name)
	if text := show(r.lang, s, row, &f); text != nothing {
		return text
	}
	return ""
}

// groups are the facts but the addresses, each field in exactly one group; fields that later
// versions add come in the last.
func (r *request) groups(s *table.Snapshot, row int32) []group {
	titles := []string{"connection.state", "connection.time", "connection.traffic", "connection.rest"}
	groups := make([]group, len(titles))
	for i, key := range titles {
		groups[i].Title = r.lang.Text(key)
	}
	for _, f := range table.Fields() {
		at := groupOf(f.Name)
		if at < 0 || !f.Listed && f.Name != "proto" {
			continue
		}
		if text := show(r.lang, s, row, &f); text != nothing {
			groups[at].Facts = append(groups[at].Facts, fact{columnName(r.lang, f.Name), text})
		}
	}
	return groups
}

// groupOf is the place of a field among the groups, -1 for what is shown elsewhere.
func groupOf(field string) int {
	switch field {
	case "key", "orig_l3proto", "orig_l4proto":
		return -1
	case "proto", "state", "assured", "seen_reply", "snat", "dnat", "offload", "status", "tcp_state":
		return 0
	case "timeout", "fixed_timeout", "start", "age":
		return 1
	}
	switch {
	case strings.Contains(field, "_ipv4_"), strings.Contains(field, "_ipv6_"), strings.Contains(field, "_port_"):
		return -1
	case strings.Contains(field, "_counter_"), strings.HasSuffix(field, "byte_rate"):
		return 2
	}
	return 3
}
