// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
)

// client is a client of XML-RPC that shares no code with the product.
type client struct {
	http http.Client
	url  string
}

// newClient makes a client of a Unix socket, or of "host:port".
func newClient(t testing.TB, address string) *client {
	network, host := "tcp", address
	if strings.HasPrefix(address, "/") {
		network, host = "unix", "localhost"
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{http: http.Client{Transport: transport, Timeout: 2 * daemontest.Patience}, url: "http://" + host}
}

// literal is a value's XML.
type literal string

// encode writes int, string, bool, float64, []any, map[string]any and literal.
func encode(b *strings.Builder, v any) {
	switch v := v.(type) {
	case literal:
		b.WriteString(string(v))
	case int:
		fmt.Fprintf(b, "<int>%d</int>", v)
	case string:
		b.WriteString("<string>")
		xml.EscapeText(b, []byte(v))
		b.WriteString("</string>")
	case bool:
		fmt.Fprintf(b, "<boolean>%d</boolean>", map[bool]int{true: 1}[v])
	case float64:
		fmt.Fprintf(b, "<double>%v</double>", v)
	case []any:
		b.WriteString("<array><data>")
		for _, e := range v {
			b.WriteString("<value>")
			encode(b, e)
			b.WriteString("</value>")
		}
		b.WriteString("</data></array>")
	case map[string]any:
		b.WriteString("<struct>")
		for name, e := range v {
			fmt.Fprintf(b, "<member><name>%s</name><value>", name)
			encode(b, e)
			b.WriteString("</value></member>")
		}
		b.WriteString("</struct>")
	default:
		panic(fmt.Sprintf("a value of type %T", v))
	}
}

func document(method string, params ...any) string {
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?>\n<methodCall><methodName>" + method + "</methodName><params>")
	for _, p := range params {
		b.WriteString("<param><value>")
		encode(&b, p)
		b.WriteString("</value></param>")
	}
	b.WriteString("</params></methodCall>\n")
	return b.String()
}

// element is any element of an answer.
type element struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Inside  []element `xml:",any"`
}

// decode gives int, string, bool, []any and map[string]any.
func (e element) decode() (any, error) {
	switch e.XMLName.Local {
	case "value":
		if len(e.Inside) != 1 {
			return nil, fmt.Errorf("a value has %d elements", len(e.Inside))
		}
		return e.Inside[0].decode()
	case "int":
		return strconv.Atoi(e.Text)
	case "string":
		return e.Text, nil
	case "boolean":
		return e.Text == "1", nil
	case "array":
		all := []any{}
		for _, v := range e.Inside[0].Inside {
			d, err := v.decode()
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
		return all, nil
	case "struct":
		all := map[string]any{}
		for _, m := range e.Inside {
			d, err := m.Inside[1].decode()
			if err != nil {
				return nil, err
			}
			all[m.Inside[0].Text] = d
		}
		return all, nil
	}
	return nil, fmt.Errorf("a value of type %q", e.XMLName.Local)
}

// fault is a fault; the zero value is none.
type fault struct {
	code int
	text string
}

// post sends a body and gives the HTTP status and the answer.
func (c *client) post(body string, header ...string) (status int, answer []byte, err error) {
	r, err := http.NewRequest(http.MethodPost, c.url+"/RPC2", strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "text/xml")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// try calls and gives whatever comes; the error is that of the transport.
func (c *client) try(body string) (any, fault, error) {
	status, answer, err := c.post(body)
	if err != nil {
		return nil, fault{}, err
	}
	var root element
	if err := xml.NewDecoder(bytes.NewReader(answer)).Decode(&root); err != nil || status != http.StatusOK {
		return nil, fault{}, fmt.Errorf("status %d, %w: %s", status, err, answer)
	}
	if root.Inside[0].XMLName.Local == "fault" {
		v, err := root.Inside[0].Inside[0].decode()
		if err != nil {
			return nil, fault{}, err
		}
		m := v.(map[string]any)
		return nil, fault{m["faultCode"].(int), m["faultString"].(string)}, nil
	}
	v, err := root.Inside[0].Inside[0].Inside[0].decode()
	return v, fault{}, err
}

// call calls and gives the value or the fault.
func (c *client) call(t testing.TB, method string, params ...any) (any, fault) {
	t.Helper()
	v, f, err := c.try(document(method, params...))
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return v, f
}

// ok calls and wants a value.
func (c *client) ok(t testing.TB, method string, params ...any) any {
	t.Helper()
	v, f := c.call(t, method, params...)
	if f.code != 0 {
		t.Fatalf("%s: fault %d %q", method, f.code, f.text)
	}
	return v
}

// want calls and wants a fault that says something.
func (c *client) want(t testing.TB, code int, says, method string, params ...any) {
	t.Helper()
	v, f := c.call(t, method, params...)
	if f.code != code || !strings.Contains(f.text, says) {
		t.Errorf("%s: fault %d %q, value %v; want fault %d with %q", method, f.code, f.text, v, code, says)
	}
}
