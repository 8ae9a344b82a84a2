// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answering is a client of a server that gives the same answer to each call.
func answering(t *testing.T, header map[string]string, status int, body string) *Client {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		for name, v := range header {
			w.Header().Set(name, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func serving(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	address, err := ParseAddress(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Server: address, Timeout: 2 * time.Minute})
	t.Cleanup(c.Close)
	return c
}

func response(value string) string {
	return "<?xml version=\"1.0\"?>\n<methodResponse><params><param><value>" + value + "</value></param></params></methodResponse>"
}

func kindOf(err error) Kind {
	var call *Error
	if errors.As(err, &call) {
		return call.Kind
	}
	return 0
}

func TestBadAnswers(t *testing.T) {
	good := response("<string>x</string>")
	deep := strings.Repeat("<value><array><data>", 1_000_000)
	tests := []struct {
		name   string
		header map[string]string
		status int
		body   string
		kind   Kind
		says   string
	}{
		{"empty", nil, 200, "", BadAnswer, "no document"},
		{"not XML", nil, 200, "Welcome", BadAnswer, "text outside"},
		{"a page", nil, 200, "<!DOCTYPE html><html></html>", BadAnswer, "refused"},
		{"bombs of entities", nil, 200, "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaa\">]>" + good, BadAnswer, "refused"},
		{"deeper than the stack", nil, 200, "<methodResponse><params><param>" + deep, BadAnswer, "inside each other"},
		{"more values than rows have", nil, 200, response("<array><data>" + strings.Repeat("<value/>", maxValues) + "</data></array>"), BadAnswer, "more than 400000 values"},
		{"cut off", nil, 200, good[:len(good)-20], BadAnswer, "not well formed"},
		{"two answers", nil, 200, good + good, BadAnswer, "refused"},
		{"two roots", nil, 200, strings.Repeat(strings.TrimPrefix(good, "<?xml version=\"1.0\"?>"), 2), BadAnswer, "follows the root"},
		{"text behind", nil, 200, good + "more", BadAnswer, "text outside"},
		{"params and fault", nil, 200, strings.Replace(good, "</params>", "</params><fault></fault>", 1), BadAnswer, "element <fault>"},
		{"neither", nil, 200, "<methodResponse><value/></methodResponse>", BadAnswer, "<value> where <params>"},
		{"a call", nil, 200, "<methodCall></methodCall>", BadAnswer, "the root is <methodCall>"},
		{"tags that cross", nil, 200, "<methodResponse><params></methodResponse></params>", BadAnswer, "</methodResponse> where"},
		{"a tag without end", nil, 200, "<methodResponse><" + strings.Repeat("a", 1<<20), BadAnswer, "is broken"},
		{"no value", nil, 200, "<methodResponse><params></params></methodResponse>", BadAnswer, "0 values"},
		{"an unknown entity", nil, 200, response("<string>&x;</string>"), BadAnswer, "unknown entity"},
		{"another type", nil, 200, response("<array><data/></array>"), BadAnswer, "type array in the place of a string"},
		{"an unknown type", nil, 200, response("<bignum>1</bignum>"), BadAnswer, "unknown type <bignum>"},
		{"a fault without a struct", nil, 200, "<methodResponse><fault><value><int>1</int></value></fault></methodResponse>", BadAnswer, "not a struct of faultCode"},
		{"another charset", map[string]string{"Content-Type": "text/xml; charset=utf-16"}, 200, good, BadAnswer, "charset"},
		{"JSON", map[string]string{"Content-Type": "application/json"}, 200, "{}", BadAnswer, "application/json"},
		{"compressed unasked", map[string]string{"Content-Encoding": "gzip"}, 200, good, BadAnswer, "encoded as"},
		{"a long length", map[string]string{"Content-Length": "99999999999"}, 200, "", BadAnswer, "99999999999 bytes"},
		{"a shorter body than announced", map[string]string{"Content-Length": "1000"}, 200, good, Unreachable, "unexpected EOF"},
		{"not found", nil, 404, good, Status, "404"},
		{"a redirect", map[string]string{"Location": "/elsewhere"}, 307, "", Status, "307"},
		{"an error of the server", nil, 500, good, Status, "500"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := answering(t, test.header, test.status, test.body)
			var text string
			err := c.Call(t.Context(), &text, "login")
			if kindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want kind %d with %q", err, test.kind, test.says)
			}
		})
	}
}

func TestEndlessAnswer(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range MaxAnswer>>20 + 8 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	err := c.Call(t.Context(), nil, "view")
	if kindOf(err) != BadAnswer || !strings.Contains(err.Error(), "longer than 67108864 bytes") {
		t.Fatalf("got %v", err)
	}
}

func TestEndlessHeader(t *testing.T) {
	c := answering(t, map[string]string{"X": strings.Repeat("x", 2*maxHeader)}, 200, response("<int>1</int>"))
	if err := c.Call(t.Context(), nil, "view"); kindOf(err) != Unreachable {
		t.Fatalf("got %v", err)
	}
}

// A client survives bad answers: the next good one is decoded.
func TestGoodAfterBad(t *testing.T) {
	n := 0
	c := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
		if n++; n == 1 {
			_, _ = io.WriteString(w, "<oops>")
			return
		}
		_, _ = io.WriteString(w, response("<string>a &lt;b&gt;</string>"))
	})
	var text string
	if err := c.Call(t.Context(), &text, "login"); kindOf(err) != BadAnswer {
		t.Fatalf("got %v", err)
	}
	if err := c.Call(t.Context(), &text, "login"); err != nil || text != "a <b>" {
		t.Fatalf("got %q, %v", text, err)
	}
}

func TestFault(t *testing.T) {
	c := answering(t, nil, 200, "<methodResponse><fault><value><struct>"+
		"<member><name>faultCode</name><value><int>-32602</int></value></member>"+
		"<member><name>faultString</name><value><string>bad &amp; worse</string></value></member>"+
		"</struct></value></fault></methodResponse>")
	var call *Error
	if err := c.Call(t.Context(), nil, "view"); !errors.As(err, &call) {
		t.Fatalf("got %v", err)
	}
	if call.Kind != Faulted || call.Code != FaultParameters || call.Text != "bad & worse" {
		t.Fatalf("got %+v", call)
	}
}

// What only looks like a fault, in the text of a value, is none.
func TestFaultInText(t *testing.T) {
	c := answering(t, nil, 200, response("<string>&lt;fault>&lt;/fault&gt;</string>"))
	var text string
	if err := c.Call(t.Context(), &text, "view"); err != nil || text != "<fault></fault>" {
		t.Fatalf("got %q, %v", text, err)
	}
}

// hang answers nothing until the client or the test has had enough. The request must
// be read for the server to see that the client is gone.
func hang(t *testing.T, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-t.Context().Done():
	}
}

func TestHangingServer(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		c := serving(t, func(_ http.ResponseWriter, r *http.Request) { hang(t, r) })
		c.timeout = 20 * time.Millisecond
		if err := c.Call(t.Context(), nil, "view"); kindOf(err) != Timeout {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("deadline inside of the body", func(t *testing.T) {
		c := serving(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, "<methodResponse>")
			_ = http.NewResponseController(w).Flush()
			hang(t, r)
		})
		c.timeout = 100 * time.Millisecond
		if err := c.Call(t.Context(), nil, "view"); kindOf(err) != Timeout {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := serving(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			hang(t, r)
		})
		if err := c.Call(ctx, nil, "view"); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rpc.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, response("<string>"+r.URL.Path+"</string>"))
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	address, err := ParseAddress("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	if err := New(Config{Server: address}).Call(t.Context(), &text, "login"); err != nil || text != "/RPC2" {
		t.Fatalf("got %q, %v", text, err)
	}
}

func TestParseAddressPlain(t *testing.T) {
	for text, plain := range map[string]bool{
		"http://127.0.0.1:8580": false, "http://[::1]:8580/": false, "http://LOCALHOST": false, "https://fw.example": false,
		"unix:/run/x.sock": false, "http://192.0.2.1:8580": true, "http://fw.example": true, "http://127.0.0.1.example": true,
	} {
		address, err := ParseAddress(text)
		if err != nil || address.Plain() != plain {
			t.Errorf("%s: plain %v, %v", text, address.Plain(), err)
		}
	}
}

// An unusable session id does not become a session.
func TestLoginAnswers(t *testing.T) {
	for name, id := range map[string]string{"empty": "", "long": strings.Repeat("x", maxSession+1)} {
		t.Run(name, func(t *testing.T) {
			c := answering(t, nil, 200, response("<string>"+id+"</string>"))
			if _, err := c.Login(t.Context(), "", ""); kindOf(err) != BadAnswer {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// The transport of a test in a bubble, where time passes when nobody has anything to do.
type transport func(body string) string

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: 200, ContentLength: -1, Request: r,
		Header: http.Header{"Content-Type": {"text/xml"}},
		Body:   io.NopCloser(strings.NewReader(f(string(body)))),
	}, nil
}

func bubbled(f transport) *Client {
	c := New(Config{})
	c.http.Transport = f
	return c
}

func TestSessionIsKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counts := map[string]int{}
		c := bubbled(func(body string) string {
			for _, method := range []string{"login", "whoami", "logout"} {
				if strings.Contains(body, "<methodName>"+method+"</methodName>") {
					counts[method]++
				}
			}
			return response("<string>S</string>")
		})
		s, err := c.Login(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		// The server's limit is 10 s.
		if counts["whoami"] < 10 {
			t.Errorf("touched %d times in a minute", counts["whoami"])
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		touched := counts["whoami"]
		time.Sleep(time.Minute)
		if counts["logout"] != 1 || counts["whoami"] != touched {
			t.Errorf("after closing twice: %v", counts)
		}
	})
}

func TestPagesRefuse(t *testing.T) {
	page := func(rows, total int, snapshot string) string {
		row := "<value><struct><member><name>id</name><value><string>1</string></value></member></struct></value>"
		return response(fmt.Sprintf("<struct><member><name>table</name><value><array><data>%s</data></array></value></member>"+
			"<member><name>total</name><value><int>%d</int></value></member>"+
			"<member><name>snapshot</name><value><string>%s</string></value></member></struct>", strings.Repeat(row, rows), total, snapshot))
	}
	tests := []struct {
		name  string
		query Query
		pages []string
		says  string
	}{
		{"more rows than asked for", Query{Limit: 1}, []string{page(2, 2, "a")}, "2 rows, asked for 1"},
		{"another table", Query{}, []string{page(1, 3, "a"), page(1, 3, "b")}, "another table"},
		{"no name for the next page", Query{}, []string{page(1, 3, "")}, "without a name"},
		{"a filter that would break the call", Query{Filters: map[string]any{"a</name>": "x"}}, nil, "not the name of a field"},
		{"rows that are none", Query{}, []string{response("<struct><member><name>table</name><value><string>x</string></value></member></struct>")}, "decode answer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := 0
			s := &Session{id: "S", client: bubbled(func(string) string { n++; return test.pages[n-1] })}
			var last error
			for _, err := range s.Pages(t.Context(), test.query) {
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), test.says) {
				t.Fatalf("got %v, want %q", last, test.says)
			}
		})
	}
}

// A server that promises more than it gives does not keep nuctl asking for ever.
func TestPagesEnd(t *testing.T) {
	n := 0
	s := &Session{id: "S", client: bubbled(func(string) string {
		n++
		return response("<struct><member><name>table</name><value><array><data></data></array></value></member>" +
			"<member><name>total</name><value><int>9</int></value></member><member><name>snapshot</name><value><string>a</string></value></member></struct>")
	})}
	for page, err := range s.Pages(t.Context(), Query{}) {
		if err != nil || len(page.Rows) != 0 {
			t.Fatalf("got %v, %v", page, err)
		}
	}
	if n != 1 {
		t.Fatalf("%d calls", n)
	}
}
