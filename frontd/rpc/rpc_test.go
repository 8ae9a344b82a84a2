// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/exchange"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// daemon is a Server under test, with a helper that has no kernel.
type daemon struct {
	t      testing.TB
	server *Server
	helper *helpertest.Helper
	url    string
	role   string // of those who log in from now on
}

func start(t testing.TB) *daemon {
	t.Helper()
	return startWith(t, "")
}

// startWith starts a daemon with the roles of a configuration.
func startWith(t testing.TB, roles string) *daemon {
	t.Helper()
	return startConfigured(t, roles, func(*service.Config) {})
}

// startConfigured is startWith for a service that is configured otherwise.
func startConfigured(t testing.TB, roles string, configure func(*service.Config)) *daemon {
	t.Helper()
	root := strict.Read([]byte(roles), "frontd.toml")
	set := policy.ReadRoles(root)
	if err := root.Err(); err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, helper: &helpertest.Helper{}, role: "admin"}
	d.helper.SetStats(ipc.Stats{
		Known: ipc.StatCount | ipc.StatMax | ipc.StatAccounting | ipc.StatTimestamps | ipc.StatCPU,
		Count: 3, Max: 262144, Accounting: true, Timestamps: true, PerCPU: [ipc.NumCounters]uint64{1 << 40},
	})
	log := slog.New(slog.DiscardHandler)
	cfg := service.Config{
		Helper:  d.helper,
		Backend: auth.None{},
		Roles:   set,
		RoleOf:  func(string) string { return d.role },
		MaxPage: 100,
		Log:     log,
		// However slow the machine is: no session ends, and no table is too old, while a test runs.
		SessionTimeout: time.Hour,
		MaxAge:         time.Hour,
	}
	configure(&cfg)
	svc := service.New(cfg)
	terms := exchange.Terms{
		HostAllowed: func(h string) bool { return h == "firewall.example" },
		BodyTimeout: time.Hour, WriteTimeout: time.Hour,
	}
	s := New(Config{Service: svc, Terms: terms, Multicall: true, Log: log, Origin: func(r *http.Request) Origin {
		a := netip.MustParseAddrPort(r.RemoteAddr)
		return Origin{Text: r.RemoteAddr, Addr: a.Addr()}
	}})
	s.lingers = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	d.server = s
	server := httptest.NewServer(s)
	d.url = server.URL
	t.Cleanup(func() {
		server.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d
}

// reply is an answer as a client reads it: a fault, or a value of strings, []any and
// map[string]any; ints and booleans are written "int:1" and "boolean:1".
type reply struct {
	fault int
	text  string
	value any
}

// node is any element.
type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Nodes   []node `xml:",any"`
}

func (n node) value(t testing.TB) any {
	t.Helper()
	switch n.XMLName.Local {
	case "value":
		return n.Nodes[0].value(t)
	case "string":
		return n.Text
	case "array":
		list := []any{}
		for _, v := range n.Nodes[0].Nodes {
			list = append(list, v.value(t))
		}
		return list
	case "struct":
		m := map[string]any{}
		for _, member := range n.Nodes {
			name := member.Nodes[0].Text
			if _, twice := m[name]; twice {
				t.Errorf("member %q is there twice", name)
			}
			m[name] = member.Nodes[1].value(t)
		}
		return m
	}
	return n.XMLName.Local + ":" + n.Text
}

func (d *daemon) post(path, body string, edit func(*http.Request)) (status int, answer string) {
	d.t.Helper()
	r, err := http.NewRequest(http.MethodPost, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/xml")
	if edit != nil {
		edit(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func document(method string, params ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>", method)
	for _, p := range params {
		b.WriteString("<param><value>" + p + "</value></param>")
	}
	b.WriteString("</params></methodCall>")
	return b.String()
}

func (d *daemon) callAt(path, method string, params ...string) reply {
	d.t.Helper()
	return d.raw(path, document(method, params...))
}

func (d *daemon) call(method string, params ...string) reply {
	d.t.Helper()
	return d.callAt("/RPC2", method, params...)
}

func (d *daemon) raw(path, body string) reply {
	d.t.Helper()
	status, answer := d.post(path, body, nil)
	if status != http.StatusOK {
		d.t.Fatalf("status %d: %s", status, answer)
	}
	var root node
	if err := xml.Unmarshal([]byte(answer), &root); err != nil {
		d.t.Fatalf("%v in %s", err, answer)
	}
	if first := root.Nodes[0]; first.XMLName.Local == "fault" {
		m := first.Nodes[0].value(d.t).(map[string]any)
		var r reply
		fmt.Sscanf(m["faultCode"].(string), "int:%d", &r.fault)
		r.text = m["faultString"].(string)
		return r
	}
	return reply{value: root.Nodes[0].Nodes[0].Nodes[0].value(d.t)}
}

// as logs somebody in who has a role.
func (d *daemon) as(role string) string {
	d.t.Helper()
	d.role = role
	return d.login()
}

// login gives the session id as a parameter.
func (d *daemon) login() string {
	d.t.Helper()
	r := d.call("login", str("zoe"), str("x"))
	id, ok := r.value.(string)
	if !ok {
		d.t.Fatalf("login: %+v", r)
	}
	return str(id)
}

func str(s string) string { return "<string>" + s + "</string>" }
func num(n int) string    { return fmt.Sprintf("<int>%d</int>", n) }
func list(items ...string) string {
	return "<array><data><value>" + strings.Join(items, "</value><value>") + "</value></data></array>"
}
func members(pairs ...string) string {
	var b strings.Builder
	b.WriteString("<struct>")
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "<member><name>%s</name><value>%s</value></member>", pairs[i], pairs[i+1])
	}
	b.WriteString("</struct>")
	return b.String()
}

const emptyArray = "<array><data></data></array>"

// three fills the table with three connections.
func (d *daemon) three() (web, ssh, dns helpertest.Connection) {
	web = helpertest.Port(6, 3000000001, "192.0.2.1:40000", "198.51.100.7:443")
	ssh = helpertest.Port(6, 22, "192.0.2.2:40001", "198.51.100.7:22")
	dns = helpertest.Port(17, 53, "[2001:db8::1]:5353", "[2001:db8::53]:53")
	ssh.OutcomeOfKill, ssh.RuleOfRefusal = ipc.Protected, "management"
	web.OrigBytes = 1 << 33
	d.helper.Add(web, ssh, dns)
	return web, ssh, dns
}

func (r reply) table(t testing.TB) []map[string]any {
	t.Helper()
	m, ok := r.value.(map[string]any)
	if !ok {
		t.Fatalf("not a view: %+v", r)
	}
	var rows []map[string]any
	for _, row := range m["table"].([]any) {
		rows = append(rows, row.(map[string]any))
	}
	return rows
}

func (r reply) want(t testing.TB, code int, words ...string) {
	t.Helper()
	if r.fault != code {
		t.Fatalf("fault %d %q (%v), want %d", r.fault, r.text, r.value, code)
	}
	for _, w := range words {
		if !strings.Contains(r.text, w) {
			t.Errorf("fault %q does not say %q", r.text, w)
		}
	}
}
