// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"
)

// TestTransport speaks HTTP by hand.
func TestTransport(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		serve(t, "")
		for name, test := range map[string]func(*testing.T){
			"keep-alive":                 keepAlive,
			"requests sent ahead":        sentAhead,
			"close":                      closes,
			"HTTP/1.0":                   http10,
			"HTTP/1.0, kept alive":       http10KeepAlive,
			"chunks":                     chunks,
			"expect":                     expect,
			"expect, refused":            expectRefused,
			"expect, unknown":            expectUnknown,
			"expect, long and of nobody": expectGuest,
			"gzip":                       zipped,
		} {
			t.Run(name, test)
		}
	})
}

var hello = call("system.listMethods")

func good(t *testing.T, w *wire) *http.Response {
	t.Helper()
	res, answer := w.receive()
	if res.StatusCode != 200 || !strings.Contains(answer, "<string>login</string>") {
		t.Fatalf("%s %s", res.Status, answer)
	}
	return res
}

func keepAlive(t *testing.T) {
	w := dial(t, "")
	for range 20 {
		w.send(request("1.1", hello))
		if res := good(t, w); res.Close || res.ContentLength < 0 {
			t.Fatalf("not kept: %v", res.Header)
		}
		// A fault of a method is an answer like others.
		w.send(request("1.1", call("whoami", "nobody")))
		if res, answer := w.receive(); outcome(answer) != "2" || res.Close {
			t.Fatalf("%v %s", res.Header, answer)
		}
	}
}

func sentAhead(t *testing.T) {
	w := dial(t, "")
	w.send(strings.Repeat(request("1.1", hello), 20))
	for range 20 {
		good(t, w)
	}
}

func closes(t *testing.T) {
	w := dial(t, "")
	w.send(head("1.1", fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n\r\n%s", len(hello), hello)))
	good(t, w)
	w.wantEnd()
}

func http10(t *testing.T) {
	w := dial(t, "")
	w.send(request("1.0", hello))
	if res := good(t, w); len(res.TransferEncoding) > 0 {
		t.Errorf("chunks in HTTP/1.0: %v", res.TransferEncoding)
	}
	w.wantEnd()
}

func http10KeepAlive(t *testing.T) {
	w := dial(t, "")
	for range 3 {
		w.send(head("1.0", fmt.Sprintf("Connection: keep-alive\r\nContent-Length: %d\r\n\r\n%s", len(hello), hello)))
		good(t, w)
	}
}

func chunks(t *testing.T) {
	w := dial(t, "")
	for range 2 {
		w.send(head("1.1", "Transfer-Encoding: chunked\r\n\r\n"))
		for _, b := range []byte(hello) {
			w.send("1\r\n" + string(rune(b)) + "\r\n")
		}
		w.send("0\r\n\r\n")
		good(t, w)
	}
	w.send(head("1.1", "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"))
	if res, answer := w.receive(); outcome(answer) != "-32700" || !res.Close {
		t.Errorf("%s %s", res.Status, answer)
	}
}

func expect(t *testing.T) {
	w := dial(t, "")
	for range 2 {
		w.send(head("1.1", fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(hello))))
		if res, _ := w.receive(); res.StatusCode != http.StatusContinue {
			t.Fatalf("want leave to go on: %s", res.Status)
		}
		w.send(hello)
		good(t, w)
	}
	// Not waiting is allowed, and HTTP/1.0 does not know of it.
	w.send(head("1.0", fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", len(hello), hello)))
	good(t, w)
}

// expectRefused: whoever asks before he sends is told at once, and need not send.
func expectRefused(t *testing.T) {
	for header, status := range map[string]int{
		"Content-Length: 5000000\r\n":                   http.StatusRequestEntityTooLarge,
		"Content-Length: 5\r\nOrigin: null\r\n":         http.StatusForbidden,
		"Content-Length: 5\r\nContent-Encoding: br\r\n": http.StatusUnsupportedMediaType,
	} {
		w := dial(t, "")
		w.send(head("1.1", "Expect: 100-continue\r\n"+header+"\r\n"))
		if res, _ := w.receive(); res.StatusCode != status {
			t.Errorf("%s: %s", header, res.Status)
		}
		w.wantEnd()
	}
}

func expectUnknown(t *testing.T) {
	w := dial(t, "")
	w.send(head("1.1", "Expect: the-unexpected\r\nContent-Length: 5\r\n\r\n"))
	if res, _ := w.receive(); res.StatusCode != http.StatusExpectationFailed {
		t.Errorf("%s", res.Status)
	}
}

// expectGuest: a guest's long body is read no further than to see that it is one.
func expectGuest(t *testing.T) {
	w := dial(t, "")
	w.send(head("1.1", "Expect: 100-continue\r\nContent-Length: 4000000\r\n\r\n"))
	if res, _ := w.receive(); res.StatusCode != http.StatusContinue {
		t.Fatalf("want leave to go on: %s", res.Status)
	}
	w.send(call("view", "nobody") + strings.Repeat(" ", 8<<10))
	if res, answer := w.receive(); outcome(answer) != "2" || !res.Close {
		t.Errorf("%s %s", res.Status, answer)
	}
}

func zipped(t *testing.T) {
	fields := call("fields", login(t))
	for accept, want := range map[string]bool{"": false, "Accept-Encoding: gzip;q=0\r\n": false, "Accept-Encoding: deflate, gzip;q=0.5\r\n": true} {
		w := dial(t, "")
		w.send(head("1.1", fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", accept, len(fields), fields)))
		res, answer := w.receive()
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != want || res.Header.Get("Vary") != "Accept-Encoding" {
			t.Fatalf("%q: %v", accept, res.Header)
		}
		if want {
			r, err := gzip.NewReader(strings.NewReader(answer))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			answer = string(b)
		}
		if !strings.Contains(answer, "<string>orig_ipv4_src</string>") || !strings.HasSuffix(answer, "</methodResponse>\n") {
			t.Errorf("%q: %.300s", accept, answer)
		}
	}
}
