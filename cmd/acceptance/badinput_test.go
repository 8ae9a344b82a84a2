// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// Codes of API.md.
const (
	notWellFormed = -32700
	notXMLRPC     = -32600
	noMethod      = -32601
	badParams     = -32602
)

// wrongCall is a call with something wrong in it. In its parameters the words SESSION, ID
// and KEY stand for a live session and a connection that is there.
type wrongCall struct {
	method string
	code   int
	says   string
	params []any
}

// TestWrongCallsChangeNothing makes every kind of wrong call over HTTP.
func TestWrongCallsChangeNothing(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		for _, c := range [...]nstest.Connection{
			{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80"), Mark: 7},
			{Target: nstest.Target(unix.IPPROTO_UDP, "[2001:db8::1]:1000", "[2001:db8::2]:53"), Mark: 8},
		} {
			nstest.Create(t, c)
		}
		s := newWorld(t, everything).login(t)
		r := s.one(t, filters{"proto": "tcp"})
		gone := s.client.login(t)
		gone.ok(t, "logout")
		fill := func(params []any) (filled []any) {
			for _, p := range params {
				switch p {
				case "SESSION":
					p = s.id
				case "GONE":
					p = gone.id
				}
				if l, ok := p.([]any); ok {
					for i, e := range l {
						switch e {
						case "ID":
							l[i] = r["id"]
						case "KEY":
							l[i] = r.key(t)
						}
					}
				}
				switch p {
				case "ID":
					p = r["id"]
				case "KEY":
					p = r.key(t)
				}
				filled = append(filled, p)
			}
			return filled
		}
		before := kernelTable(t)
		all := wrongSessions()
		maps.Copy(all, wrongViews())
		maps.Copy(all, wrongActs())
		maps.Copy(all, wrongOthers())
		for name, call := range all {
			t.Run(call.method+": "+name, func(t *testing.T) {
				s.client.want(t, call.code, call.says, call.method, fill(call.params)...)
			})
		}
		wantTable(t, before)
		s.ok(t, "whoami")
	})
}

func wrongSessions() map[string]wrongCall {
	all := map[string]wrongCall{
		"no such method":            {"flush", noMethod, "flush", []any{"SESSION"}},
		"no method of another case": {"Kill", noMethod, "Kill", []any{"SESSION", list("KEY")}},
		"inherited name":            {"system.multicall", noMethod, "multicall", []any{list()}},
	}
	for method, rest := range map[string][]any{
		"view": nil, "kill": {list("KEY")}, "change": {"mark", "KEY", 1}, "refresh": nil,
		"set_autorefresh": {0}, "logout": nil, "whoami": nil, "fields": nil, "stats": nil,
		"groups": {"orig_src"},
	} {
		for name, session := range map[string]any{
			"unknown session":       "sessionsessionsessionsessionsessionsession",
			"empty session":         "",
			"session that ended":    "GONE",
			"session as a number":   5,
			"session as an array":   list("SESSION"),
			"session as a struct":   filters{"id": "SESSION"},
			"session as a boolean":  true,
			"session with a quote":  "' or 1=1 --",
			"session of 5000 bytes": strings.Repeat("s", 5000),
		} {
			all[name+" of "+method] = wrongCall{method, 2, "log in", append([]any{session}, rest...)}
		}
		all["no session for "+method] = wrongCall{method, 2, "log in", nil}
	}
	return all
}

func wrongViews() map[string]wrongCall {
	filter := func(member string, v any) wrongCall {
		return wrongCall{"view", badParams, member, []any{"SESSION", filters{member: v}}}
	}
	page := func(says string, params ...any) wrongCall {
		return wrongCall{"view", badParams, says, append([]any{"SESSION", filters{}}, params...)}
	}
	return map[string]wrongCall{
		"unknown member":            filter("colour", "red"),
		"member of another case":    filter("Mark", "1"),
		"member expr":               filter("expr", "proto ="),
		"empty array":               filter("mark", list()),
		"array in an array":         filter("mark", list(list(1))),
		"struct":                    filter("mark", filters{}),
		"not inside an array":       filter("mark", list("!1")),
		"not not":                   filter("mark", "!!1"),
		"empty string":              filter("mark", ""),
		"unknown operator":          filter("mark", "=5"),
		"operator without a value":  filter("mark", ">="),
		"operator twice":            filter("mark", ">=>=1"),
		"number too large":          filter("mark", "4294967296"),
		"negative number":           filter("mark", -1),
		"half a number":             filter("mark", 1.5),
		"mask with bits outside":    filter("mark", "0xff/0x0f"),
		"mask with another field":   filter("id", "1/3"),
		"port too large":            filter("port", 65536),
		"range the wrong way round": filter("port", "80-79"),
		"range without an end":      filter("port", "80-"),
		"port by a name":            filter("port", "http"),
		"prefix too long":           filter("orig_src", "192.0.2.0/33"),
		"IPv6 prefix too long":      filter("orig_src", "2001:db8::/129"),
		"not an address":            filter("orig_src", "firewall.example"),
		"address with a zone":       filter("orig_src", "fe80::1%eth0"),
		"range of two families":     filter("address", "192.0.2.1-2001:db8::1"),
		"range of addresses turned": filter("address", "192.0.2.9-192.0.2.1"),
		"unknown protocol":          filter("proto", "tpc"),
		"protocol 256":              filter("proto", 256),
		"unknown state":             filter("state", "LISTENING"),
		"flag as a word":            filter("assured", "true"),
		"flag 2":                    filter("assured", 2),
		"not a key":                 filter("key", "k!"),
		"boolean for a number":      filter("mark", true),
		"65 members":                {"view", badParams, "64", []any{"SESSION", manyMembers(65)}},
		"filters as a string":       {"view", badParams, "filters", []any{"SESSION", "proto tcp"}},
		"filters as a full array":   {"view", badParams, "filters", []any{"SESSION", list(1)}},
		"filters as a boolean":      {"view", badParams, "filters", []any{"SESSION", true}},
		"unknown order":             page("colour", "colour"),
		"order that is no field":    page("address", "address"),
		"order as a number":         page("order_by", 1),
		"unknown direction":         page("UP", "id", "UP"),
		"direction as a number":     page("order_dir", "id", 1),
		"negative start":            page("negative", "id", "A", -1),
		"start as a boolean":        page("start", "id", "A", true),
		"start as a word":           page("start", "id", "A", "first"),
		"half a start":              page("start", "id", "A", 0.5),
		"negative length":           page("negative", "id", "A", 0, -1),
		"length as a struct":        page("length", "id", "A", 0, filters{}),
		"options as a string":       page("options", "id", "A", 0, 1, "fields"),
		"unknown option":            page("colour", "id", "A", 0, 1, filters{"colour": 1}),
		"fields as a string":        page("fields", "id", "A", 0, 1, filters{"fields": "id"}),
		"field as a number":         page("fields", "id", "A", 0, 1, filters{"fields": list(1)}),
		"unknown field":             page("colour", "id", "A", 0, 1, filters{"fields": list("id", "colour")}),
		"snapshot as a number":      page("snapshot", "id", "A", 0, 1, filters{"snapshot": 1}),
		"seven parameters":          page("parameters", "id", "A", 0, 1, filters{}, 1),
		"snapshot that is gone":     {"view", 12, "held", []any{"SESSION", filters{}, "id", "A", 0, 1, filters{"snapshot": "1-1"}}},
	}
}

func manyMembers(n int) filters {
	f := filters{}
	for i := range n {
		f[strings.Repeat("x", i+1)] = 1
	}
	return f
}

func wrongActs() map[string]wrongCall {
	kill := func(v any) wrongCall { return wrongCall{"kill", badParams, "", []any{"SESSION", list("KEY", v)}} }
	change := func(says string, params ...any) wrongCall {
		return wrongCall{"change", badParams, says, append([]any{"SESSION"}, params...)}
	}
	return map[string]wrongCall{
		"negative id":               kill(-1),
		"negative id as a string":   kill("-1"),
		"id too large":              kill("4294967296"),
		"half an id":                kill(0.5),
		"id as a boolean":           kill(true),
		"id as an array":            kill(list("ID")),
		"id as a struct":            kill(filters{"id": 1}),
		"empty id":                  kill(""),
		"id in hexadecimal":         kill("0x10"),
		"id with a space":           kill(" 1"),
		"key cut short":             kill("kAAAA"),
		"key that is not one":       kill("k" + strings.Repeat("-", 40)),
		"key of 5000 bytes":         kill("k" + strings.Repeat("A", 5000)),
		"id as dateTime":            kill(literal("<dateTime.iso8601>20260101T00:00:00</dateTime.iso8601>")),
		"id as base64":              kill(literal("<base64>AAAA</base64>")),
		"id as nil":                 kill(literal("<nil/>")),
		"an id and no array":        {"kill", badParams, "array", []any{"SESSION", "ID"}},
		"a struct and no array":     {"kill", badParams, "array", []any{"SESSION", filters{}}},
		"no connections":            {"kill", badParams, "parameters", []any{"SESSION"}},
		"two arrays":                {"kill", badParams, "options", []any{"SESSION", list("KEY"), list("KEY")}},
		"an id that is not there":   {"kill", 4, "no such connection", []any{"SESSION", list("1")}},
		"unknown field":             change("status", "status", "KEY", 1),
		"field of another case":     change("Mark", "Mark", "KEY", 1),
		"field as a number":         change("field", 8, "KEY", 1),
		"no value":                  change("parameters", "mark", "KEY"),
		"two values":                change("parameters", "mark", "KEY", 1, 2),
		"several connections":       change("", "mark", list("KEY"), 1),
		"mark too large":            change("mark", "mark", "KEY", "4294967296"),
		"negative mark":             change("string", "mark", "KEY", -1),
		"mark outside of its mask":  change("mask", "mark", "KEY", "0x11/0x10"),
		"mark with an empty mask":   change("mask", "mark", "KEY", "1/"),
		"mark with two masks":       change("mask", "mark", "KEY", "1/1/1"),
		"mark as a word":            change("red", "mark", "KEY", "red"),
		"mark as an array":          change("array", "mark", "KEY", list(1)),
		"mark as a boolean":         change("boolean", "mark", "KEY", true),
		"half a mark":               change("whole", "mark", "KEY", 1.5),
		"empty mark":                change("mark", "mark", "KEY", ""),
		"timeout 0":                 change("timeout", "timeout", "KEY", 0),
		"timeout too long":          change("2147483", "timeout", "KEY", 2147484),
		"negative timeout":          change("string", "timeout", "KEY", -1),
		"timeout with a mask":       change("timeout", "timeout", "KEY", "60/1"),
		"timeout in hexadecimal":    change("timeout", "timeout", "KEY", "0x10"),
		"timeout with a unit":       change("timeout", "timeout", "KEY", "60s"),
		"id that is not there":      {"change", 4, "no such connection", []any{"SESSION", "mark", "1", 1}},
		"id that is neither":        change("neither", "mark", "one", 1),
		"key of nothing":            change("neither", "mark", "k", 1),
		"timeout of nothing there":  {"change", 4, "no such connection", []any{"SESSION", "timeout", 1, 100}},
		"change without parameters": change("parameters"),
	}
}

func wrongOthers() map[string]wrongCall {
	one := func(method, says string, params ...any) wrongCall {
		return wrongCall{method, badParams, says, params}
	}
	return map[string]wrongCall{
		"autorefresh 2":            one("set_autorefresh", "refresh", "SESSION", 2),
		"autorefresh as a word":    one("set_autorefresh", "refresh", "SESSION", "on"),
		"autorefresh as an array":  one("set_autorefresh", "refresh", "SESSION", list()),
		"autorefresh of nothing":   one("set_autorefresh", "parameters", "SESSION"),
		"refresh with more":        one("refresh", "parameters", "SESSION", 1),
		"logout with more":         one("logout", "parameters", "SESSION", 1),
		"whoami with more":         one("whoami", "parameters", "SESSION", 1),
		"fields with more":         one("fields", "parameters", "SESSION", 1),
		"stats with more":          one("stats", "parameters", "SESSION", 1),
		"help of what is not":      one("system.methodHelp", "flush", "flush"),
		"help of a number":         one("system.methodHelp", "string", 1),
		"help of nothing":          one("system.methodHelp", "parameters"),
		"signature of what is not": one("system.methodSignature", "flush", "flush"),
		"methods with more":        one("system.listMethods", "parameters", 1),
		"capabilities with more":   one("system.getCapabilities", "parameters", 1),
	}
}

// TestWrongDocumentsChangeNothing sends what is no call at all.
func TestWrongDocumentsChangeNothing(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")})
		s := newWorld(t, everything).login(t)
		r := s.one(t, nil)
		before := kernelTable(t)
		kill := document("kill", s.id, list(r.key(t)))
		deep := strings.Repeat("<value><array><data>", 17) + strings.Repeat("</data></array></value>", 17)
		for name, test := range map[string]struct {
			code int
			body string
		}{
			"nothing":                    {notWellFormed, ""},
			"no XML":                     {notWellFormed, "kill them all"},
			"cut off":                    {notWellFormed, kill[:len(kill)-20]},
			"trailing data":              {notWellFormed, kill + "x"},
			"two calls":                  {notWellFormed, kill + strings.TrimPrefix(kill, "<?xml version='1.0'?>\n")},
			"DOCTYPE":                    {notWellFormed, strings.Replace(kill, "<methodCall>", "<!DOCTYPE methodCall [<!ENTITY x 'y'>]><methodCall>", 1)},
			"processing instruction":     {notWellFormed, strings.Replace(kill, "<methodCall>", "<?php x?><methodCall>", 1)},
			"unknown entity":             {notWellFormed, strings.Replace(kill, "<string>", "<string>&x;", 1)},
			"control character":          {notWellFormed, strings.Replace(kill, "<string>", "<string>&#1;", 1)},
			"another charset":            {notWellFormed, strings.Replace(kill, "version='1.0'", "version='1.0' encoding='UTF-7'", 1)},
			"tags that do not match":     {notWellFormed, strings.Replace(kill, "</methodName>", "</method>", 1)},
			"bytes that are not UTF-8":   {notWellFormed, strings.Replace(kill, "<string>", "<string>\xff", 1)},
			"an answer":                  {notXMLRPC, "<methodResponse><params/></methodResponse>"},
			"no method name":             {notXMLRPC, "<methodCall><params/></methodCall>"},
			"nested too deep":            {notXMLRPC, "<methodCall><methodName>kill</methodName><params><param>" + deep + "</param></params></methodCall>"},
			"member twice":               {notXMLRPC, document("view", s.id, literal("<struct><member><name>mark</name><value>1</value></member><member><name>mark</name><value>2</value></member></struct>"))},
			"unknown type":               {notXMLRPC, document("kill", s.id, literal("<uint>5</uint>"))},
			"int that is none":           {notXMLRPC, document("kill", s.id, literal("<int>five</int>"))},
			"boolean that is none":       {notXMLRPC, document("kill", s.id, literal("<boolean>2</boolean>"))},
			"too many values":            {notXMLRPC, document("kill", s.id, literal("<array><data>"+strings.Repeat("<value>1</value>", 20001)+"</data></array>"))},
			"long, and without session":  {2, document("kill", "nobody", list(strings.Repeat("x", 9000)))},
			"long, and of no session":    {2, document("login", strings.Repeat("x", 9000))},
			"long, and no call at all":   {2, strings.Repeat(" ", 9000) + kill},
			"empty session, long method": {2, "<methodCall><methodName>" + strings.Repeat("x", 9000) + "</methodName></methodCall>"},
		} {
			t.Run(name, func(t *testing.T) {
				v, f, err := s.try(test.body)
				if err != nil || f.code != test.code {
					t.Errorf("fault %d %q, value %v, %v; want fault %d", f.code, f.text, v, err, test.code)
				}
			})
		}
		wantTable(t, before)
		wantStatuses(t, s.client, kill)
		wantTable(t, before)
		s.ok(t, "kill", list(r.key(t)))
	})
}

// wantStatuses sends a good call in requests that are refused before it is read.
func wantStatuses(t *testing.T, c *client, call string) {
	t.Helper()
	for name, test := range map[string]struct {
		status int
		header []string
	}{
		"another content type":  {http.StatusUnsupportedMediaType, []string{"Content-Type", "application/json"}},
		"a form":                {http.StatusUnsupportedMediaType, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		"compressed":            {http.StatusUnsupportedMediaType, []string{"Content-Encoding", "gzip"}},
		"from another site":     {http.StatusForbidden, []string{"Origin", "https://evil.example"}},
		"from another site too": {http.StatusForbidden, []string{"Sec-Fetch-Site", "cross-site"}},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer, err := c.post(call, test.header...); err != nil || status != test.status {
				t.Errorf("status %d, %v, %s; want %d", status, err, answer, test.status)
			}
		})
	}
	t.Run("too long", func(t *testing.T) {
		if status, _, err := c.post(call + strings.Repeat(" ", 4<<20)); err == nil && status != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d, want 413", status)
		}
	})
	overTCP := newClient(t, rpcAddress)
	for name, test := range map[string]struct {
		status            int
		method, url, host string
	}{
		"GET":             {http.StatusMethodNotAllowed, http.MethodGet, "/RPC2", ""},
		"PUT":             {http.StatusMethodNotAllowed, http.MethodPut, "/RPC2", ""},
		"another path":    {http.StatusNotFound, http.MethodPost, "/RPC3", ""},
		"a path below":    {http.StatusNotFound, http.MethodPost, "/RPC2/", ""},
		"a rebound name":  {http.StatusMisdirectedRequest, http.MethodPost, "/RPC2", "evil.example"},
		"a name with dot": {http.StatusMisdirectedRequest, http.MethodPost, "/RPC2", "evil.example:8580"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(test.method, overTCP.url+test.url, strings.NewReader(call))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "text/xml")
			r.Host = test.host
			response, err := overTCP.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.status {
				t.Errorf("status %d, want %d", response.StatusCode, test.status)
			}
		})
	}
}
