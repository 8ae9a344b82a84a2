// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"reflect"
	"strings"
	"testing"

	"nuconntrack/frontd/xmlrpc"
)

const manyTypes = "<struct>" +
	"<member><name>table</name><value><array><data><value><struct>" +
	"<member><name>id</name><value><string>7</string></value></member><member><name>n</name><value><int>-8</int></value></member>" +
	"<member><name>up</name><value><boolean>1</boolean></value></member><member><name>d</name><value><double>1.5</double></value></member>" +
	"<member><name>nil</name><value><nil/></value></member><member><name>in</name><value><array><data><value>x</value></data></array></value></member>" +
	"</struct></value></data></array></value></member>" +
	"<member><name>total</name><value><int>1</int></value></member><member><name>warnings</name><value><array><data><value>a</value></data></array></value></member>" +
	"<member><name>of a later version</name><value>x</value></member></struct>"

func TestDecode(t *testing.T) {
	row := map[string]any{"id": "7", "n": int64(-8), "up": true, "d": 1.5, "nil": nil, "in": []any{"x"}}
	tests := []struct {
		name, value string
		into, want  any
	}{
		{"a page", manyTypes, &Page{Count: 3}, &Page{Rows: []map[string]any{row}, Total: 1, Count: 3, Warnings: []string{"a"}}},
		{"structs", "<array><data><value><struct><member><name>filter</name><value><boolean>1</boolean></value></member></struct></value></data></array>",
			&[]Field{}, &[]Field{{Filter: true}}},
		{"a struct in a struct", "<struct><member><name>all</name><value><struct><member><name>connections</name><value><int>2</int></value></member></struct></value></member></struct>",
			&Groups{}, &Groups{All: Totals{Connections: 2}}},
		{"a map", "<struct><member><name>a</name><value>b</value></member></struct>", &map[string]any{}, &map[string]any{"a": "b"}},
		{"anything", "<i4>1</i4>", new(any), any(ptr(any(int64(1))))},
		{"an empty array", "<array><data/></array>", &[]Report{}, &[]Report{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := answering(t, nil, 200, response(test.value)).Call(t.Context(), test.into, "view")
			if err != nil || !reflect.DeepEqual(test.into, test.want) {
				t.Errorf("got %#v, %v", test.into, err)
			}
		})
	}
}

func ptr(v any) *any { return &v }

// What a server that does not keep to its word sends is refused, whatever it is.
func TestDecodeRefuses(t *testing.T) {
	values := map[string]string{
		"string": "<string>1</string>", "int": "<int>1</int>", "boolean": "<boolean>1</boolean>", "array": "<array><data><value/></data></array>",
		"struct": "<struct><member><name>total</name><value><array><data/></array></value></member></struct>", "nil": "<nil/>", "double": "<double>1.0</double>",
	}
	for _, test := range []struct {
		name string
		into any
		fits string
	}{
		{"string", new(string), "string"}, {"number", new(int), "int"}, {"flag", new(bool), "boolean"},
		{"strings", new([]string), "array"}, {"map", new(map[string]any), "struct"}, {"page", new(Page), ""}, {"rows", new([]map[string]any), ""},
	} {
		for kind, value := range values {
			if kind == test.fits {
				continue
			}
			t.Run(kind+" for "+test.name, func(t *testing.T) {
				err := answering(t, nil, 200, response(value)).Call(t.Context(), test.into, "view")
				if kindOf(err) != BadAnswer || !strings.Contains(err.Error(), "in the place of") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// FuzzAnswer: no answer panics, and none fails as something else than a bad one or a fault.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		response("<string>x</string>"), response("<array><data><value/><value><i4>1</i4></value></data></array>"),
		response("<struct><member><name>a</name><value><struct></struct></value></member></struct>"),
		response(""), response("text"), response("<nil/>"), response("<boolean>1</boolean>"), response("<double>1e9</double>"),
		response("<dateTime.iso8601>20260102T03:04:05</dateTime.iso8601>"), response("<base64>eA==</base64>"),
		"<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int></value></member></struct></value></fault></methodResponse>",
		"<methodResponse/>", "<", "</", "<?xml ?>", "<methodResponse><params/></methodResponse>", response(manyTypes),
		response("<struct><member><name>table</name><value><array><data><value><struct></struct></value></data></array></value></member></struct>"),
	} {
		f.Add(seed)
	}
	c := New(Config{})
	f.Fuzz(func(t *testing.T, body string) {
		answer, err := xmlrpc.ReadResponse(strings.NewReader(body), xmlrpc.Limits{Bytes: MaxAnswer, Depth: maxDepth, Values: maxValues})
		if err != nil {
			return
		}
		for _, result := range []any{new(Page), new(Groups), new([]Report), new(map[string]any), new(string), new(any)} {
			if err := c.decode("view", answer, result); err != nil && kindOf(err) != BadAnswer && kindOf(err) != Faulted {
				t.Fatalf("got %v", err)
			}
		}
	})
}
