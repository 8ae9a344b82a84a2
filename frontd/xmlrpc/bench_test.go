// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"testing"
)

// xmlCall is what encoding/xml needs to read the calls of the benchmarks, without any of the checks.
type xmlCall struct {
	Method string     `xml:"methodName"`
	Params []xmlValue `xml:"params>param>value"`
}

type xmlValue struct {
	String *string    `xml:"string"`
	Int    *int64     `xml:"int"`
	Items  []xmlValue `xml:"array>data>value"`
}

func benchmarkRead(b *testing.B, body string, l Limits) {
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ReadCall(strings.NewReader(body), l); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-xml", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var call xmlCall
			if err := xml.NewDecoder(strings.NewReader(body)).Decode(&call); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReadSmall(b *testing.B) {
	benchmarkRead(b, `<?xml version="1.0"?>`+"\n<methodCall>\n<methodName>whoami</methodName>\n<params>\n<param>\n"+
		"<value><string>s0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef</string></value>\n"+
		"</param>\n</params>\n</methodCall>\n", Limits{})
}

func BenchmarkRead100000Ints(b *testing.B) {
	var s strings.Builder
	for i := range 100000 {
		s.WriteString("<value><int>" + strconv.Itoa(i*21474) + "</int></value>\n")
	}
	benchmarkRead(b, arrayOf(1, s.String()), Limits{Bytes: 16 << 20, Values: 200000})
}

func BenchmarkPeekSession(b *testing.B) {
	body := []byte(document("<param><value><string>s0123456789abcdef</string></value></param>") + strings.Repeat(" ", 8000))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := PeekSession(body); !ok {
			b.Fatal("no session")
		}
	}
}

// row has about the fields that a TCP connection has.
var row = []struct{ name, value string }{
	{"id", "4294967295"}, {"key", "c6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, {"orig_ipv4_src", "192.0.2.10"},
	{"orig_ipv4_dst", "198.51.100.20"}, {"repl_ipv4_src", "198.51.100.20"}, {"repl_ipv4_dst", "192.0.2.10"},
	{"state", "ESTABLISHED"}, {"timeout", "431999"}, {"mark", "0"}, {"orig_counter_packets", "123456"},
	{"orig_counter_bytes", "123456789"}, {"repl_counter_packets", "123456"}, {"repl_counter_bytes", "987654321012"},
	{"byte_rate", "125000"}, {"start", "2026-01-02T03:04:05.678Z"},
}

var rowInts = []string{"orig_l3proto", "orig_l4proto", "orig_port_src", "orig_port_dst", "repl_port_src",
	"repl_port_dst", "tcp_state", "status", "use", "age"}

func writeRows(w *Writer, n int) {
	w.BeginArray()
	for range n {
		w.BeginStruct()
		for _, f := range row {
			w.Member(f.name)
			w.String(f.value)
		}
		for i, name := range rowInts {
			w.Member(name)
			w.Int(i * 6553)
		}
		w.EndStruct()
	}
	w.EndArray()
}

type xmlMember struct {
	XMLName struct{} `xml:"member"`
	Name    string   `xml:"name"`
	String  *string  `xml:"value>string"`
	Int     *int     `xml:"value>int"`
}

type xmlAnswer struct {
	XMLName struct{}    `xml:"methodResponse"`
	Rows    []xmlStruct `xml:"params>param>value>array>data>value"`
}

type xmlStruct struct {
	Members []xmlMember `xml:"struct>member"`
}

func BenchmarkWrite1000Rows(b *testing.B) {
	var size bytes.Buffer
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		w := NewWriter(nil, Plain)
		for b.Loop() {
			w.Reset(io.Discard, Plain)
			w.Response()
			writeRows(w, 1000)
			w.EndResponse()
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-xml", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var answer xmlAnswer
			for range 1000 {
				var s xmlStruct
				for _, f := range row {
					s.Members = append(s.Members, xmlMember{Name: f.name, String: &f.value})
				}
				for i, name := range rowInts {
					n := i * 6553
					s.Members = append(s.Members, xmlMember{Name: name, Int: &n})
				}
				answer.Rows = append(answer.Rows, s)
			}
			size.Reset()
			if err := xml.NewEncoder(&size).Encode(answer); err != nil {
				b.Fatal(err)
			}
		}
	})
}
