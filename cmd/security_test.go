// SPDX-License-Identifier: GPL-2.0-or-later

package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromisesNameTheirTests: each promise of SECURITY.md names a folder and tests that are
// there.
func TestPromisesNameTheirTests(t *testing.T) {
	doc, err := os.ReadFile("../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, promises, found := strings.Cut(string(doc), "| promise | test |\n|---|---|\n")
	promises, _, ended := strings.Cut(promises, "\n\n")
	if !found || !ended {
		t.Fatal("SECURITY.md has no table of promises")
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	for row := range strings.Lines(promises) {
		promise, tests, _ := strings.Cut(strings.Trim(row, "| \n"), " | ")
		named := 0
		for part := range strings.SplitSeq(tests, "; ") {
			words := quoted.FindAllStringSubmatch(part, -1)
			if len(words) < 2 {
				t.Errorf("%q: %q names no folder and test", promise, part)
				continue
			}
			for _, name := range words[1:] {
				named++
				if !hasTest(t, words[0][1], name[1]) {
					t.Errorf("%q: there is no %s in %s", promise, name[1], words[0][1])
				}
			}
		}
		if named == 0 {
			t.Errorf("%q is shown by nothing", promise)
		}
	}
}

// hasTest looks for a test or fuzz target in the test files of a folder.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
