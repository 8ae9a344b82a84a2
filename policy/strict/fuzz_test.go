// SPDX-License-Identifier: GPL-2.0-or-later

package strict

import (
	"errors"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func FuzzRead(f *testing.F) {
	f.Add([]byte("kill.allow=true\nprotect=[{name='a',ports=['1-9',22]},{name=\"b\",addresses=['::/0']}]"))
	f.Add([]byte("[[protect]]\nname=\"a\"\nprotocols=[\n'''tcp''', # x\n\"\"\"udp\"\"\"]\n[protect.x]"))
	f.Add([]byte("\xef\xbb\xbf[\"ki\\u006cl\"]\nallow=true\r\n"))
	f.Add([]byte("a = \"\"\"\n\\\"\"\"\"\"\nb = {c = [1, {d = 2}]}"))
	f.Add([]byte("a = [[[[[[[[[\n]]]]]]]]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkScanner(t, data)
		root := Read(data, "f")
		root.Only()
		if err := root.Err(); err != nil {
			var e *Error
			if !errors.As(err, &e) || len(err.Error()) > 51*1000 || strings.ContainsAny(e.Error(), "\x1b\n") {
				t.Fatalf("got %q", err)
			}
			return
		}
		if len(root.Keys()) != 0 {
			t.Fatalf("keys %q passed", root.Keys())
		}
	})
}

// checkScanner compares the lines that scanKeys finds with what the library
// made of the same file: no key at the top may be missed.
func checkScanner(t *testing.T, data []byte) {
	var values map[string]any
	if len(data) > 4096 || scanKeys(data, func([]string, int) {}) > 0 {
		return
	}
	if toml.Unmarshal(data, &values) != nil {
		return
	}
	last := 0
	seen := map[string]bool{}
	scanKeys(data, func(path []string, line int) {
		if line < last {
			t.Fatalf("line %d after line %d", line, last)
		}
		last, seen[path[0]] = line, true
	})
	if len(seen) != len(values) && !strings.Contains(string(data), `\`) { // escapes may spell one key in two ways
		t.Fatalf("found %v, the library has %v", seen, values)
	}
}
