// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(mustParse(f, sample).String()))
	f.Add([]byte("kill.allow=true\nprotect=[{name='a',ports=['1-9',22]},{name=\"b\",addresses=['::/0']}]"))
	f.Add([]byte("[[protect]]\nname=\"a\"\nprotocols=[\n'''tcp''', # x\n\"\"\"udp\"\"\"]\n[protect.x]"))
	f.Add([]byte("\xef\xbb\xbf[\"ki\\u006cl\"]\nallow=true\r\n"))
	f.Add([]byte("a = \"\"\"\n\\\"\"\"\"\"\nb = {c = [1, {d = 2}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkScanner(t, data)
		r, err := Parse(data, "p")
		if err != nil {
			var fe *FileError
			if !errors.As(err, &fe) || r != nil || len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Fatalf("got %v, %q", r, err)
			}
			return
		}
		text := r.String()
		again, err := Parse([]byte(text), "p")
		if err != nil || text == "" || again.String() != text {
			t.Fatalf("read back: %v\n%s", err, text)
		}
		more, err := Parse([]byte(text+"\n[[protect]]\nname = \"fuzz\"\nports = [22]\n"), "p")
		if err != nil {
			return // full, or the name is taken
		}
		for _, c := range someConnections() {
			for i, pair := range [][3]Decision{
				{r.Kill(c), again.Kill(c), more.Kill(c)},
				{r.ChangeMark(c, 1, 3), again.ChangeMark(c, 1, 3), more.ChangeMark(c, 1, 3)},
				{r.ChangeTimeout(c, 60), again.ChangeTimeout(c, 60), more.ChangeTimeout(c, 60)},
			} {
				if pair[0] != pair[1] {
					t.Fatalf("action %d on %+v: %+v, read back %+v", i, c, pair[0], pair[1])
				}
				if pair[2].Allowed && !pair[0].Allowed {
					t.Fatalf("action %d on %+v: a protect rule allowed what was %+v", i, c, pair[0])
				}
			}
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
