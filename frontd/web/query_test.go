// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/web/text"
)

// FuzzQuery: whatever stands in an address, the state that is read of it is within its limits,
// and the address that it makes reads back to the same.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"", "expr=proto+tcp&sort=byte_rate&desc=0", "src=192.0.2.0%2F24&port=80,443&state=!x", "cols=proto,mark&cols=state",
		"start=-1&size=99999999999999999999", "snapshot=a-1&lang=fr", "expr=(((&proto=%00", "sort=key&desc=1&desc=2", "cols=" + strings.Repeat("mark,", 200),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q := parseQuery(values)
		if q.Size < 1 || q.Size > maxSize || q.Start < 0 || len(q.columns()) > maxColumns || len(q.Expr) > 4096 {
			t.Errorf("beyond its limits: %+v", q)
		}
		if _, err := table.CompileFilter(q.filters()); err != nil && len(q.problems) == 0 {
			t.Errorf("%q: the filter is wrong (%v), and nobody is told", raw, err)
		}
		path, kept := back(q.at(pathTable))
		again := parseQuery(kept)
		q.problems, again.problems = nil, nil
		if path != pathTable || len(q.at(pathTable)) <= maxBack && !reflect.DeepEqual(q, again) {
			t.Errorf("%q reads back as %+v, not %+v", raw, again, q)
		}
	})
}

// FuzzBack: no address leads to another host, or to anything but three pages that only show.
func FuzzBack(f *testing.F) {
	for _, s := range []string{"/", "//evil.example", "/web/talkers?by=x", "https://evil.example/", "/\\evil", "/web/kill", "%2f%2fevil", "/?a=b#c", "\t//x"} {
		f.Add(s)
	}
	pages := []string{pathTable, pathConnection, pathTalkers}
	f.Fuzz(func(t *testing.T, address string) {
		to := backTo(address)
		path, _, _ := strings.Cut(to, "?")
		if !slices.Contains(pages, path) || strings.ContainsAny(to, "\r\n\\ ") || strings.HasPrefix(to, "//") {
			t.Errorf("%q leads to %q", address, to)
		}
		if again := backTo(to); len(to) <= maxBack && again != to {
			t.Errorf("%q, and then %q", to, again)
		}
	})
}

// TestTextsAreUsed: every text that templates and code ask for is there, and no other.
func TestTextsAreUsed(t *testing.T) {
	used := map[string]bool{}
	for _, found := range findAll(t, "templates/*.html", `[.(]T "([^"]+)"`) {
		used[found] = true
	}
	plural := append(findAll(t, "templates/*.html", `[.(]N "([^"]+)"`), findAll(t, "*.go", `\.Count\("([^"]+)"`)...)
	for _, found := range plural {
		used[found+".one"], used[found+".other"] = true, true
	}
	for _, found := range append(findAll(t, "*.go", `\.Text\("([^"]+[^."])"`), findAll(t, "*.go", `refused\(http\.\w+, "([^"]+)"`)...) {
		used[found] = true
	}
	for _, key := range []string{"error.method", "connection.state", "connection.time", "connection.traffic", "connection.rest",
		"unit.day", "unit.hour", "unit.minute", "unit.second", "fault.other", "outcome." + outcomeOwn} {
		used[key] = true
	}
	add := func(prefix string, names ...string) {
		for _, name := range names {
			used[prefix+name] = true
		}
	}
	for _, f := range table.Fields() {
		if f.Sort || f.Listed {
			add("column.", f.Name)
		}
	}
	for _, k := range quicks() {
		add("quick."+k.Param, "", ".hint")
	}
	add("wrong.", paramSort, paramStart, paramSize, paramColumns)
	add("talkers.order.", talkerOrders()...)
	add("warning.", service.WarningKinds()...)
	for _, k := range reason.Kinds() {
		add("why.", k.Key())
	}
	add("outcome.", service.OutcomeKilled, service.OutcomeGone, service.OutcomeReplaced, service.OutcomeProtected, service.OutcomeForbidden,
		service.OutcomeAmbiguous, service.OutcomeUnknown, service.OutcomeReturned, service.OutcomeFailed)
	add("fault.", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "-32602")
	languages, err := text.Languages()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range languages {
		for key := range used {
			if !l.Has(key) {
				t.Errorf("%s lacks %s", l.Code, key)
			}
		}
		for _, key := range l.Keys() {
			if !used[key] {
				t.Errorf("%s has %s, which nobody shows", l.Code, key)
			}
		}
	}
}

// findAll gives what a pattern finds in files that are not tests; there has to be something.
func findAll(t *testing.T, files, pattern string) (all []string) {
	t.Helper()
	names, err := filepath.Glob(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(data), -1) {
			all = append(all, found[1])
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s finds nothing in %s", pattern, files)
	}
	return all
}
