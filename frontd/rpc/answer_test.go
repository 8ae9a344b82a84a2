// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
)

func TestAcceptsGzip(t *testing.T) {
	tests := map[string]struct {
		headers []string
		want    bool
	}{
		"nothing":                   {nil, false},
		"empty":                     {[]string{""}, false},
		"plain":                     {[]string{"gzip"}, true},
		"old name":                  {[]string{"X-Gzip"}, true},
		"among others":              {[]string{"br, deflate;q=0.5,  GZip ; q=0.001"}, true},
		"in the second header":      {[]string{"br", "gzip"}, true},
		"weight 1":                  {[]string{"gzip;q=1.000"}, true},
		"weight in upper case":      {[]string{"gzip;Q=1"}, true},
		"preferred to identity":     {[]string{"identity;q=0.5, gzip"}, true},
		"as good as identity":       {[]string{"gzip, identity"}, true},
		"identity refused":          {[]string{"gzip;q=0.1, identity;q=0"}, true},
		"identity preferred":        {[]string{"gzip;q=0.5, identity"}, false},
		"q=0":                       {[]string{"gzip;q=0"}, false},
		"q=0.000":                   {[]string{"gzip; q=0.000"}, false},
		"refused and asked for":     {[]string{"gzip;q=0, gzip"}, false},
		"refused in another header": {[]string{"gzip", "x-gzip;q=0"}, false},
		"anything":                  {[]string{"*"}, false},
		"another":                   {[]string{"deflate, br, zstd"}, false},
		"a longer name":             {[]string{"gzipped"}, false},
		"above 1":                   {[]string{"gzip;q=1.001"}, false},
		"four digits":               {[]string{"gzip;q=0.5000"}, false},
		"no digits":                 {[]string{"gzip;q="}, false},
		"not a number":              {[]string{"gzip;q=nan"}, false},
		"exponent":                  {[]string{"gzip;q=1e0"}, false},
		"negative":                  {[]string{"gzip;q=-1"}, false},
		"another parameter":         {[]string{"gzip;level=9"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := acceptsGzip(test.headers); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// exchange sends a call with headers of its own and gives the answer as it was on the wire.
func (d *daemon) exchange(document string, header http.Header) (*http.Response, []byte) {
	d.t.Helper()
	r, err := http.NewRequest(http.MethodPost, d.url+"/RPC2", strings.NewReader(document))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "text/xml")
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res, b
}

func unzip(t *testing.T, b []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in %q", err, b[:min(len(b), 100)])
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestGzip(t *testing.T) {
	d := start(t)
	for i := range 100 {
		d.helper.Add(helpertest.Port(6, uint32(i)*7919+1, "192.0.2.1:"+strconv.Itoa(1000+i), "198.51.100.7:443"))
	}
	s := d.login()
	d.call("set_autorefresh", s, num(0)).want(t, 0)
	page := func(rows int) string {
		return document("view", s, emptyArray, str("id"), str("ASC"), num(0), num(rows))
	}
	tests := map[string]struct {
		document string
		accept   string
		zipped   bool
		length   bool // the answer comes with its length
	}{
		"not asked for":             {page(100), "", false, false},
		"refused":                   {page(100), "gzip;q=0", false, false},
		"asked for":                 {page(100), "gzip", true, true},
		"asked for, short":          {document("system.methodHelp", str("logout")), "gzip", false, true},
		"asked for, a page of one":  {page(1), "gzip", false, true},
		"asked for, some rows":      {page(10), "gzip", true, true},
		"not asked for, some rows":  {page(10), "br", false, true},
		"asked for, a fault":        {document("view", str("nobody")), "gzip", false, true},
		"asked for, no method name": {"<methodCall/>", "gzip", false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d.t = t
			_, plain := d.exchange(test.document, http.Header{})
			header := http.Header{}
			if test.accept != "" {
				header.Set("Accept-Encoding", test.accept)
			}
			res, got := d.exchange(test.document, header)
			if zipped := res.Header.Get("Content-Encoding") == "gzip"; zipped != test.zipped {
				t.Fatalf("header %v", res.Header)
			}
			if test.length != (res.ContentLength == int64(len(got))) || test.length == (len(res.TransferEncoding) > 0) {
				t.Errorf("length %d, transfer encoding %v, %d bytes", res.ContentLength, res.TransferEncoding, len(got))
			}
			if res.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("Vary is %q", res.Header.Get("Vary"))
			}
			if test.zipped {
				if len(got) >= len(plain) {
					t.Errorf("%d bytes, %d without compression", len(got), len(plain))
				}
				got = []byte(unzip(t, got))
			}
			if string(got) != string(plain) {
				t.Errorf("another answer than without compression: %.300s", got)
			}
		})
	}
}

// noise is written as a long answer that hardly gets shorter by compression.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// TestLongGzipIsStreamed: a compressed answer leaves while it is produced, without length.
func TestLongGzipIsStreamed(t *testing.T) {
	w := httptest.NewRecorder()
	var pool zips
	out := newAnswerBody(w, &pool)
	defer out.release()
	piece := noise(32 << 10)
	for range 8 {
		if _, err := out.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Body.Len(); n < 100<<10 {
		t.Errorf("only %d bytes of an answer of 256 KiB have left", n)
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	if l := w.Header().Get("Content-Length"); l != "" {
		t.Errorf("Content-Length is %s", l)
	}
	if got := unzip(t, w.Body.Bytes()); got != strings.Repeat(string(piece), 8) {
		t.Errorf("%d bytes, not what was written", len(got))
	}
}

// TestZipsAreBounded: those who keep their answers waiting cost no more than maxZips
// compressors, and the others get their answers all the same.
func TestZipsAreBounded(t *testing.T) {
	var pool zips
	piece := noise(zipFrom)
	var all []*answerBody
	for i := range maxZips + 3 {
		w := httptest.NewRecorder()
		out := newAnswerBody(w, &pool)
		if _, err := out.Write(piece); err != nil {
			t.Fatal(err)
		}
		if zipped := w.Header().Get("Content-Encoding") == "gzip"; zipped != (i < maxZips) {
			t.Errorf("answer %d: compressed is %t", i, zipped)
		}
		all = append(all, out)
	}
	for _, out := range all {
		out.release()
		out.release()
	}
	if n := pool.busy.Load(); n != 0 {
		t.Errorf("%d are busy after all answers", n)
	}
	w := httptest.NewRecorder()
	out := newAnswerBody(w, &pool)
	if _, err := out.Write(piece); err != nil || out.close() != nil || unzip(t, w.Body.Bytes()) != string(piece) {
		t.Errorf("a compressor used again: %v", err)
	}
	out.release()
}

// TestHTTP10GetsLongAnswers: without chunks the end of the connection ends the answer.
func TestHTTP10GetsLongAnswers(t *testing.T) {
	d := start(t)
	for i := range 100 {
		d.helper.Add(helpertest.Port(6, uint32(i)+1, "192.0.2.1:"+strconv.Itoa(1000+i), "198.51.100.7:443"))
	}
	call := document("view", d.login())
	for _, accept := range []string{"", "Accept-Encoding: gzip\r\n"} {
		res, body := d.wire(fmt.Sprintf("POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\n%sContent-Length: %d\r\n\r\n%s", accept, len(call), call))
		if accept != "" {
			body = unzip(t, []byte(body))
		}
		if len(res.TransferEncoding) > 0 || len(body) < smallAnswer || !strings.HasSuffix(body, "</methodResponse>\n") {
			t.Errorf("%v, %d bytes: %.100s", res.Header, len(body), body)
		}
	}
}
