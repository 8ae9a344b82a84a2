// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStatuses(t *testing.T) {
	d := start(t)
	good := document("system.listMethods")
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	add := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add(name, value) }
	}
	tests := map[string]struct {
		path   string
		edit   func(*http.Request)
		status int
	}{
		"plain":           {"/RPC2", nil, 200},
		"root":            {"/", nil, 200},
		"application/xml": {"/RPC2", set("Content-Type", "application/xml; charset=utf-8"), 200},
		"another path":    {"/RPC3", nil, 404},
		"below":           {"/RPC2/x", nil, 404},
		"GET":             {"/RPC2", func(r *http.Request) { r.Method = "GET" }, 405},
		"PUT":             {"/RPC2", func(r *http.Request) { r.Method = "PUT" }, 405},
		"OPTIONS":         {"/RPC2", func(r *http.Request) { r.Method = "OPTIONS" }, 405},
		"form":            {"/RPC2", set("Content-Type", "application/x-www-form-urlencoded"), 415},
		"text/plain":      {"/RPC2", set("Content-Type", "text/plain"), 415},
		"no type":         {"/RPC2", func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"two types":       {"/RPC2", add("Content-Type", "text/plain"), 415},
		"empty encoding":  {"/RPC2", set("Content-Encoding", ""), 415},
		"two sites": {"/RPC2", func(r *http.Request) {
			r.Header["Sec-Fetch-Site"] = []string{"none", "cross-site"}
		}, 403},
		"gzip":                     {"/RPC2", set("Content-Encoding", "gzip"), 415},
		"identity":                 {"/RPC2", set("Content-Encoding", "identity"), 415},
		"foreign origin":           {"/RPC2", set("Origin", "http://evil.example"), 403},
		"null origin":              {"/RPC2", set("Origin", "null"), 403},
		"origin of another port":   {"/RPC2", set("Origin", "http://127.0.0.1:1"), 403},
		"own origin":               {"/RPC2", set("Origin", d.url), 200},
		"cross-site":               {"/RPC2", set("Sec-Fetch-Site", "cross-site"), 403},
		"same-site is not own":     {"/RPC2", set("Sec-Fetch-Site", "same-site"), 403},
		"same-origin":              {"/RPC2", set("Sec-Fetch-Site", "same-origin"), 200},
		"rebound name":             {"/RPC2", func(r *http.Request) { r.Host = "evil.example" }, 421},
		"rebound name with port":   {"/RPC2", func(r *http.Request) { r.Host = "evil.example:8580" }, 421},
		"a name that looks listed": {"/RPC2", func(r *http.Request) { r.Host = "firewall.example.evil" }, 421},
		"listed name":              {"/RPC2", func(r *http.Request) { r.Host = "Firewall.Example:8580" }, 200},
		"localhost":                {"/RPC2", func(r *http.Request) { r.Host = "localhost" }, 200},
		"IPv6":                     {"/RPC2", func(r *http.Request) { r.Host = "[2001:db8::1]:80" }, 200},
		"two hosts in one":         {"/RPC2", func(r *http.Request) { r.Host = "127.0.0.1:80:90" }, 421},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d.t = t
			if status, body := d.post(test.path, good, test.edit); status != test.status {
				t.Errorf("status %d, want %d: %s", status, test.status, body)
			}
		})
	}
}

// wire sends bytes as they are and reads one answer.
func (d *daemon) wire(request string) (*http.Response, string) {
	d.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		d.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res, string(b)
}

func TestWire(t *testing.T) {
	d := start(t)
	good := document("system.listMethods")
	tests := map[string]struct {
		request string
		status  int
		says    string
	}{
		"HTTP/1.0 without Host": {fmt.Sprintf("POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", len(good), good), 200, "methodResponse"},
		"no length":             {"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n\r\n", 411, ""},
		"length 0":              {"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: 0\r\n\r\n", 200, "-32700"},
		"length over the limit": {"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: 4194305\r\n\r\n", 413, ""},
		"chunked": {fmt.Sprintf("POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n",
			10, good[:10], len(good)-10, good[10:]), 200, "methodResponse"},
		"no Host in HTTP/1.1": {"POST /RPC2 HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 0\r\n\r\n", 400, ""},
		// The rest of this body never comes: the answer must not wait for it.
		"long body without a session": {"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: 4000000\r\n\r\n" +
			"<methodCall><methodName>view</methodName><params><param><value>sbogus</value></param><param><value>" + strings.Repeat("a", GuestBody), 200, "<int>2</int>"},
		"long login": {"POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: 4000000\r\n\r\n" +
			"<methodCall><methodName>login</methodName><params><param><value>" + strings.Repeat("a", GuestBody), 200, "<int>2</int>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d.t = t
			res, body := d.wire(test.request)
			if res.StatusCode != test.status || !strings.Contains(body, test.says) {
				t.Errorf("status %d, want %d: %s", res.StatusCode, test.status, body)
			}
		})
	}
}

func TestLongBodyOfASession(t *testing.T) {
	d := start(t)
	d.three()
	s := d.login()
	ids := strings.Repeat("<value><int>53</int></value>", 10000)
	d.call("view", s).want(t, 0)
	d.call("kill", s, "<array><data>"+ids+"</data></array>").want(t, 0)
	if n := len(d.helper.Asked()); n != 1 {
		t.Errorf("asked %d times", n)
	}
	many := strings.Repeat("<value><int>53</int></value>", 20001)
	d.call("kill", s, "<array><data>"+many+"</data></array>").want(t, -32600)
	d.call("kill", s, strings.Repeat("<array><data><value>", 17)+strings.Repeat("</value></data></array>", 17)).want(t, -32600)
	d.raw("/RPC2", document("view", s)+"<x/>").want(t, -32700)
	d.raw("/RPC2", "<!DOCTYPE x>"+document("view", s)).want(t, -32700)
	d.raw("/RPC2", "<methodResponse/>").want(t, -32600)
}

func TestLongBodyOfManyCalls(t *testing.T) {
	d := start(t)
	d.three()
	s := d.login()
	call := func(session string) string {
		ids := list(slices.Repeat([]string{num(53)}, 500)...)
		return members("methodName", str("kill"), "params", list(session, ids))
	}
	got := d.call("system.multicall", list(call(s), call(s))).value.([]any)
	if first, ok := got[0].([]any); len(got) != 2 || !ok || len(first) != 1 || len(d.helper.Asked()) != 2 {
		t.Errorf("%v, asked %d times", got, len(d.helper.Asked()))
	}
	d.call("system.multicall", list(call(str("bogus")), call(s))).want(t, 2)
	d.call("system.multicall", list(num(1), call(s), call(s))).want(t, 2)
}

// TestSlowLongBodiesLeaveRoomForOthers: a user who begins as many long requests as there may be,
// and never ends one, keeps himself from sending more and nobody else.
func TestSlowLongBodiesLeaveRoomForOthers(t *testing.T) {
	d := start(t)
	d.three()
	slow := str(d.call("login", str("ann"), str("x")).value.(string))
	begun := document("kill", slow, "<array><data>"+strings.Repeat("<value><int>53</int></value>", 1000))
	answers := make(chan string, maxLargeBodies)
	for range maxLargeBodies {
		c, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", 1<<20, begun)
		go func() {
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				return // it never was answered
			}
			b, _ := io.ReadAll(res.Body)
			answers <- string(b)
		}()
	}
	for range maxLargeBodies - maxLargeOfUser {
		select {
		case a := <-answers:
			if !strings.Contains(a, "<int>10</int>") {
				t.Fatalf("one too many is answered %q, want fault 10", a)
			}
		case <-time.After(time.Minute):
			t.Fatal("one too many is not answered")
		}
	}
	ids := strings.Repeat("<value><int>53</int></value>", 1000)
	d.call("kill", d.login(), "<array><data>"+ids+"</data></array>").want(t, 0)
}

// TestAnswersReachWhoSendsAllFirst: most clients read nothing before all is sent. They have to
// come to read why it was for nothing.
func TestAnswersReachWhoSendsAllFirst(t *testing.T) {
	d := start(t)
	request := func(length int) string {
		begin := "<methodCall><methodName>whoami</methodName><params><param><value>x</value></param></params></methodCall>"
		return fmt.Sprintf("POST /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s",
			length, begin+strings.Repeat(" ", length-len(begin)))
	}
	if res, _ := d.wire(request(DefaultMaxBody + 1)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too long: %s", res.Status)
	}
	if res, body := d.wire(request(12 << 20)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is much too long: %s %s", res.Status, body)
	}
	if res, body := d.wire(request(DefaultMaxBody)); res.StatusCode != 200 || !strings.Contains(body, "<int>2</int>") {
		t.Errorf("a long body without a session: %s %s", res.Status, body)
	}
}
