// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

const groupsAnswer = `<struct><member><name>groups</name><value><array><data><value><struct>
<member><name>value</name><value><string>192.0.2.1</string></value></member>
<member><name>connections</name><value><int>2</int></value></member>
<member><name>orig_counter_bytes</name><value><string>18446744073709551615</string></value></member>
</struct></value></data></array></value></member>
<member><name>all</name><value><struct><member><name>connections</name><value><int>5</int></value></member>
<member><name>byte_rate</name><value><string>7</string></value></member></struct></value></member>
<member><name>total</name><value><int>3</int></value></member>
<member><name>without</name><value><int>1</int></value></member>
<member><name>snapshot</name><value><string>s-1</string></value></member></struct>`

func TestGroups(t *testing.T) {
	var sent string
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), ">groups<") {
			sent = string(body)
			_, _ = io.WriteString(w, response(groupsAnswer))
			return
		}
		_, _ = io.WriteString(w, response("<string>sid</string>"))
	})
	s, err := c.Login(t.Context(), "zoe", "secret")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	g, err := s.Groups(t.Context(), GroupQuery{By: "orig_src", Filters: map[string]any{"expr": "tcp & udp"}, Length: 10})
	if err != nil || len(g.Groups) != 1 || g.Total != 3 || g.Without != 1 || g.All.Connections != 5 || g.All.Rate != "7" || g.All.OrigBytes != "" {
		t.Fatalf("%+v, %v", g, err)
	}
	if first := g.Groups[0]; first.Value != "192.0.2.1" || first.Totals() != (Totals{Connections: 2, OrigBytes: "18446744073709551615"}) {
		t.Errorf("%+v", first)
	}
	for _, want := range []string{"orig_src", "tcp &amp; udp", "byte_rate", "DESC"} {
		if !strings.Contains(sent, want) {
			t.Errorf("no %s in %s", want, sent)
		}
	}
	for name, q := range map[string]GroupQuery{
		"more groups than asked for": {By: "orig_src"},
		"another snapshot":           {By: "orig_src", Length: 1, Snapshot: "s-2"},
		"a name that is none":        {By: "orig_src", Length: 1, Filters: map[string]any{"<x>": "1"}},
	} {
		if g, err := s.Groups(t.Context(), q); err == nil {
			t.Errorf("%s: %+v", name, g)
		}
	}
}
