// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"regexp"
	"strings"
	"testing"
)

// TestReference keeps the reference true: as it is it says what holds without it, and with its
// examples it has every key there is.
func TestReference(t *testing.T) {
	empty, err := Parse(nil, "empty")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse([]byte(Reference()), "reference")
	if err != nil {
		t.Fatal(err)
	}
	if r.String() != empty.String() {
		t.Errorf("the reference means\n%s\nan empty file means\n%s", r, empty)
	}
	commented := regexp.MustCompile(`(?m)^#(\[|\w)`)
	all, err := Parse([]byte(commented.ReplaceAllString(Reference(), "$1")), "examples")
	if err != nil {
		t.Fatalf("with the examples: %v", err)
	}
	if len(all.protect) != 1 || len(all.zones) != 1 {
		t.Errorf("the examples give %d rules and %d zones", len(all.protect), len(all.zones))
	}
	for table, keys := range map[string][]string{
		"": {"zones"}, "[kill]": killKeys(), "[change]": changeKeys(), "[dump]": {"duty"}, "[[protect]]": protectKeys(),
	} {
		_, part, found := strings.Cut("\n"+Reference(), "\n"+strings.Replace(table, "[[", "#[[", 1))
		for _, key := range keys {
			if !found || !regexp.MustCompile(`(?m)^#?`+key+`\s*= `).MatchString(part) {
				t.Errorf("%s %s is not there", table, key)
			}
		}
	}
}
