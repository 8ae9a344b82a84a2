// SPDX-License-Identifier: GPL-2.0-or-later

package reason

import (
	"regexp"
	"strings"
	"testing"
)

func TestKinds(t *testing.T) {
	seen := map[string]Kind{}
	key := regexp.MustCompile(`^[a-z][a-z0-9.]*[a-z0-9]$`)
	for _, k := range Kinds() {
		if other, twice := seen[k.Key()]; twice {
			t.Errorf("%q is the key of %d and %d", k.Key(), other, k)
		}
		seen[k.Key()] = k
		if !key.MatchString(k.Key()) || k.English() == "" || strings.HasSuffix(k.English(), ".") {
			t.Errorf("%d has the key %q and the English %q", k, k.Key(), k.English())
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d kinds", len(seen))
	}
}

func TestError(t *testing.T) {
	for want, r := range map[string]Reason{
		"":                                  {},
		`there is no name "x"`:              NoName.Of(`"x"`),
		"this is not UTF-8":                 BadEncoding.Of(),
		`unexpected character '\u202e'`:     BadCharacter.Of('\u202e'),
		"expected true or false, found 5%d": NoBoolean.Of("5%d"),
		"the value 0x10 has bits outside the mask 0xf":                                       OutsideMask.Of(uint64(16), uint64(15)),
		`there is no name "dprot": did you mean dport?`:                                      NoNameBut.Of(`"dprot"`, Meant.Of("dport")),
		"filter member expr: column 3: expected a test such as \"dport 443\", found the end": InColumn.Of("expr", 3, NoTest.Of(FoundEnd.Of())),
	} {
		if got := r.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
