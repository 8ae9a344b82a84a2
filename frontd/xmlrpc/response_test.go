// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

const emptyFault = "<methodResponse><fault><value><struct>" +
	"<member><name>faultCode</name><value><int>4</int></value></member>" +
	"<member><name>faultString</name><value></value></member></struct></value></fault></methodResponse>"

func returned(value string) string {
	return "<methodResponse><params><param><value>" + value + "</value></param></params></methodResponse>"
}

func TestReadResponse(t *testing.T) {
	tests := []struct {
		name, body string
		want       Response
	}{
		{"a string", returned("<string>a &amp; b</string>"), Response{Value: Value{Kind: KindString, Text: "a & b"}}},
		{"of Apache's dialect", `<methodResponse xmlns:ex="` + extensions + `"><params><param><value><ex:nil/></value></param></params></methodResponse>`, Response{}},
		{"white space and comments", "\n<?xml version='1.0'?>\n<!-- a --> <methodResponse>\n <params>\n<param> <value><i4>7</i4></value>\n</param> </params>\n</methodResponse>\n<!-- b -->\n",
			Response{Value: Value{Kind: KindInt, Int: 7}}},
		{"a fault", emptyFault, Response{Fault: &Fault{Code: 4}}},
		{"what only looks like a fault", returned("&lt;fault&gt;"), Response{Value: Value{Kind: KindString, Text: "<fault>"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ReadResponse(iotest.OneByteReader(strings.NewReader(test.body)), Limits{})
			if err != nil || !reflect.DeepEqual(*got, test.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestRefusedResponses(t *testing.T) {
	fault := func(value string) string {
		return "<methodResponse><fault><value>" + value + "</value></fault></methodResponse>"
	}
	code := "<member><name>faultCode</name><value><int>4</int></value></member>"
	tests := []struct {
		name, body, says string
	}{
		{"nothing", "", "no document"},
		{"a call", "<methodCall><methodName>a</methodName></methodCall>", "the root is <methodCall>"},
		{"a page of HTML", "<!DOCTYPE html><html></html>", "refused"},
		{"an empty root", "<methodResponse/>", "the root is"},
		{"an empty answer", "<methodResponse></methodResponse>", "neither <params> nor <fault>"},
		{"no params", "<methodResponse><params/></methodResponse>", "0 values"},
		{"empty params", "<methodResponse><params></params></methodResponse>", "0 values"},
		{"two values", "<methodResponse><params>" + strings.Repeat("<param><value/></param>", 2) + "</params></methodResponse>", "2 values"},
		{"another element", "<methodResponse><answer/></methodResponse>", "<answer> where <params>"},
		{"a fault by another name", "<methodResponse><faulty/></methodResponse>", "<faulty> where <fault>"},
		{"both", strings.Replace(returned("x"), "</methodResponse>", "<fault/></methodResponse>", 1), "element <fault>"},
		{"two answers", returned("x") + returned("y"), "follows the root"},
		{"text behind", returned("x") + "x", "text outside"},
		{"text beside", strings.Replace(returned("x"), "<params>", "x<params>", 1), "text where an element"},
		{"an empty fault", "<methodResponse><fault/></methodResponse>", "<value> is missing"},
		{"a fault without a struct", fault("x"), "not a struct of faultCode"},
		{"a fault without a text", fault("<struct>" + code + "</struct>"), "not a struct of faultCode"},
		{"a fault's code as a string", strings.Replace(emptyFault, "<int>4</int>", "4", 1), "not a struct of faultCode"},
		{"a fault with more", strings.Replace(emptyFault, "</struct>", "<member><name>a</name><value/></member></struct>", 1), "not a struct of faultCode"},
		{"a member twice", returned("<struct>" + code + code + "</struct>"), "stands twice"},
		{"too deep", returned(strings.Repeat("<array><data><value>", 4) + strings.Repeat("</value></data></array>", 4)), "inside each other"},
		{"too many values", returned("<array><data>" + strings.Repeat("<value/>", 100) + "</data></array>"), "more than 100 values"},
		{"too long", returned(strings.Repeat("x", 4096)), "longer than 4096 bytes"},
		{"not UTF-8", returned("\xff"), "not UTF-8"},
		{"a control character", returned("\x1b"), "control character"},
		{"an entity", returned("&lol;"), "unknown entity"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ReadResponse(strings.NewReader(test.body), Limits{Bytes: 4096, Depth: 3, Values: 100})
			var refused *Error
			if got != nil || !errors.As(err, &refused) {
				t.Fatalf("got %v, %v", got, err)
			}
			if !strings.Contains(refused.Text, test.says) || strings.Contains(refused.Text, "XML-RPC call") {
				t.Errorf("got %q, want %q", refused.Text, test.says)
			}
		})
	}
	t.Run("a reader that fails", func(t *testing.T) {
		_, err := ReadResponse(io.MultiReader(strings.NewReader("<methodResponse>"), iotest.ErrReader(io.ErrUnexpectedEOF)), Limits{})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cut anywhere", func(t *testing.T) {
		for _, whole := range []string{returned("<struct><member><name>a</name><value><int>1</int></value></member></struct>"), emptyFault} {
			for n := range len(whole) {
				if got, err := ReadResponse(strings.NewReader(whole[:n]), Limits{}); err == nil {
					t.Fatalf("%q read as %v", whole[:n], got)
				}
			}
		}
	})
}

// FuzzReadResponse: no panic, no error of another type, limits kept, and what was read can
// be written and read again.
func FuzzReadResponse(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		for _, body := range corpus(f, folder, 40) {
			body = bytes.ReplaceAll(body, []byte("methodCall"), []byte("methodResponse"))
			from, to := bytes.Index(body, []byte("<methodName>")), bytes.Index(body, []byte("</methodName>"))
			if 0 <= from && from < to {
				body = append(body[:from:from], body[to+len("</methodName>"):]...)
			}
			f.Add(body)
		}
	}
	f.Add([]byte(emptyFault))
	limits := Limits{Bytes: 1 << 16, Depth: 5, Values: 100}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := ReadResponse(bytes.NewReader(body), limits)
		if err != nil {
			var refused *Error
			if got != nil || !errors.As(err, &refused) || refused.Code != FaultParse && refused.Code != FaultInvalid {
				t.Fatalf("%v, %v", got, err)
			}
			return
		}
		if n := checkValue(t, got.Value, limits.Depth); n > limits.Values {
			t.Errorf("%d values", n)
		}
		var text bytes.Buffer
		w := NewWriter(&text, I8)
		if got.Fault != nil {
			got.Fault.Code = int64(int32(got.Fault.Code))
			w.Fault(int32(got.Fault.Code), got.Fault.Text)
		} else {
			w.Response()
			w.Value(got.Value)
			w.EndResponse()
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		again, err := ReadResponse(&text, Limits{})
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("read %+v, then %+v, %v", got, again, err)
		}
	})
}
