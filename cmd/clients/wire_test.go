// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
)

// wire is a connection to the daemon on which a test writes what it likes.
type wire struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

// dial connects from an address of this machine, "" for any.
func dial(t *testing.T, from string) *wire {
	t.Helper()
	d := net.Dialer{Timeout: daemontest.Patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(daemontest.Patience))
	return &wire{c, t, bufio.NewReader(c)}
}

func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		w.t.Fatal(err)
	}
}

// receive reads one answer.
func (w *wire) receive() (*http.Response, string) {
	w.t.Helper()
	res, err := http.ReadResponse(w.r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res, string(b)
}

// wantEnd wants the daemon to have nothing more to say.
func (w *wire) wantEnd() {
	w.t.Helper()
	if b, err := w.r.ReadByte(); err != io.EOF {
		w.t.Errorf("want the end of the connection: %q, %v", b, err)
	}
}

// head is the head of a request without its last line.
func head(version, header string) string {
	host := ""
	if version == "1.1" {
		host = "Host: 127.0.0.1\r\n"
	}
	return "POST /RPC2 HTTP/" + version + "\r\n" + host + "Content-Type: text/xml\r\n" + header
}

func request(version, body string) string {
	return head(version, fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))) + body
}

// exchange sends a document and gives the status and the answer.
func exchange(t *testing.T, body string) (int, string) {
	t.Helper()
	w := dial(t, "")
	defer w.Close()
	w.send(request("1.1", body))
	res, answer := w.receive()
	return res.StatusCode, answer
}

// call is a document; the parameters are what stands in <value>.
func call(method string, params ...string) string {
	var b strings.Builder
	b.WriteString("<methodCall><methodName>" + method + "</methodName><params>")
	for _, p := range params {
		b.WriteString("<param><value>" + p + "</value></param>")
	}
	b.WriteString("</params></methodCall>")
	return b.String()
}

func login(t *testing.T) (session string) {
	t.Helper()
	_, answer := exchange(t, call("login", user, password))
	m := regexp.MustCompile(`<param><value><string>([a-zA-Z][^<]+)</string></value></param>`).FindStringSubmatch(answer)
	if m == nil {
		t.Fatalf("login: %s", answer)
	}
	return m[1]
}

// outcome is the code of a fault as it is in the answer, "" of none.
func outcome(answer string) string {
	m := regexp.MustCompile(`<name>faultCode</name><value><int>(-?\d+)</int>`).FindStringSubmatch(answer)
	if m == nil {
		return ""
	}
	return m[1]
}
