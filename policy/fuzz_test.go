// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"errors"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(mustParse(f, sample).String()))
	f.Add([]byte("kill.allow=true\nprotect=[{name='a',ports=['1-9',22]},{name=\"b\",addresses=['::/0']}]"))
	f.Add([]byte("[[protect]]\nname=\"a\"\nprotocols=[\n'''tcp''', # x\n\"\"\"udp\"\"\"]\n[protect.x]"))
	f.Add([]byte("\xef\xbb\xbf[\"ki\\u006cl\"]\nallow=true\r\n"))
	f.Add([]byte("a = \"\"\"\n\\\"\"\"\"\"\nb = {c = [1, {d = 2}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data, "p")
		if err != nil {
			var fe *FileError
			if !errors.As(err, &fe) || r != nil || len(err.Error()) > 51*1000 || strings.ContainsAny(err.Error(), "\x1b") {
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
				{r.ChangeMark(c, 0, 1, 3), again.ChangeMark(c, 0, 1, 3), more.ChangeMark(c, 0, 1, 3)},
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
