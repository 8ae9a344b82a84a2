// SPDX-License-Identifier: GPL-2.0-or-later

package connection

import (
	"math"
	"testing"

	"nuconntrack/frontd/table"
)

// TestFieldsAreTheServers: csv has a column for each of the server's fields, and none is
// taken for a text that is a number.
func TestFieldsAreTheServers(t *testing.T) {
	known := map[string]Type{}
	for _, f := range Fields() {
		known[f.Name] = f.Type
	}
	for _, f := range table.Fields() {
		if _, ok := known[f.Name]; f.Listed && !ok {
			t.Errorf("the server's field %s is missing", f.Name)
		}
		if got := TypeOf(f.Name); f.Listed && (f.Type == table.TypeInt && got != Number || f.Type == table.TypeBool && got != Flag) {
			t.Errorf("%s is of type %v here", f.Name, got)
		}
	}
	for _, name := range Summary() {
		if _, ok := table.FieldNamed(name); !ok {
			t.Errorf("a list asks for %s, which the server does not have", name)
		}
	}
	if TypeOf("nonsense") != Text {
		t.Error("an unknown field is no text")
	}
}

// TestRowsOfWrongTypes: what a server should not have sent is absent, never a zero.
func TestRowsOfWrongTypes(t *testing.T) {
	for name, v := range map[string]any{
		"nothing": nil, "array": []any{int64(1)}, "struct": map[string]any{"a": int64(1)}, "bytes": []byte("1"), "int": 1,
	} {
		row := Row{"x": v}
		if text, ok := row.Text("x"); ok || text != "" {
			t.Errorf("%s is the text %q", name, text)
		}
		if n, ok := row.Number("x"); ok || n != 0 {
			t.Errorf("%s is the number %d", name, n)
		}
		if set, ok := row.Flag("x"); ok || set {
			t.Errorf("%s is a flag", name)
		}
	}
	for _, text := range []string{"", "-1", "1.5", "0x10", "18446744073709551616", " 1", "1e3"} {
		if _, ok := (Row{"x": text}).Number("x"); ok {
			t.Errorf("%q is a number", text)
		}
	}
	if n, ok := (Row{"x": "18446744073709551615"}).Number("x"); !ok || n != math.MaxUint64 {
		t.Errorf("the largest number became %d", n)
	}
	if _, ok := (Row{"x": int64(-1)}).Number("x"); ok {
		t.Error("-1 is a number")
	}
	if _, ok := (Row{"x": "true"}).Flag("x"); ok {
		t.Error("a text is a flag")
	}
}

func TestEndpoint(t *testing.T) {
	for _, test := range []struct {
		name string
		row  Row
		want string
		ok   bool
	}{
		{"IPv4", Row{"orig_src": "192.0.2.1", "orig_port_src": int64(80)}, "192.0.2.1:80", true},
		{"IPv6", Row{"orig_src": "2001:db8::1", "orig_port_src": int64(80)}, "[2001:db8::1]:80", true},
		{"port 0", Row{"orig_src": "192.0.2.1", "orig_port_src": int64(0)}, "192.0.2.1:0", true},
		{"no port", Row{"orig_src": "192.0.2.1"}, "192.0.2.1", true},
		{"port beyond all", Row{"orig_src": "192.0.2.1", "orig_port_src": int64(65536)}, "192.0.2.1", true},
		{"no address", Row{"orig_port_src": int64(80)}, "", false},
		{"empty address", Row{"orig_src": "", "orig_port_src": int64(80)}, "", false},
		{"the other end's", Row{"orig_dst": "192.0.2.1", "orig_port_src": int64(80)}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := test.row.Endpoint("orig", "src"); got != test.want || ok != test.ok {
				t.Errorf("got %q, %v", got, ok)
			}
		})
	}
}
