// SPDX-License-Identifier: GPL-2.0-or-later

package text

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/reason"
)

func languages(t testing.TB) (en, fr *Language) {
	t.Helper()
	all, err := Languages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Fatalf("%d languages", len(all))
	}
	return all[0], all[1]
}

// TestCataloguesAgree: every text is there in every language, with the same arguments.
func TestCataloguesAgree(t *testing.T) {
	en, fr := languages(t)
	if len(en.Keys()) < 100 {
		t.Fatalf("only %d texts", len(en.Keys()))
	}
	for _, key := range en.Keys() {
		if !fr.Has(key) {
			t.Errorf("%s is not there in French", key)
		}
	}
	verbs := regexp.MustCompile(`%[#+]?[^ ]`)
	for _, key := range fr.Keys() {
		if !en.Has(key) {
			t.Errorf("%s is there in French only", key)
			continue
		}
		if a, b := verbs.FindAllString(en.texts[key], -1), verbs.FindAllString(fr.texts[key], -1); !slices.Equal(a, b) {
			t.Errorf("%s has the arguments %q in English and %q in French", key, a, b)
		}
		if stem, plural := strings.CutSuffix(key, one); plural && !fr.Has(stem+other) {
			t.Errorf("%s has no form for several", stem)
		}
	}
}

// TestWhy: reasons are said in each language, and their parts with them; English as the interface
// says them.
func TestWhy(t *testing.T) {
	en, fr := languages(t)
	for _, k := range reason.Kinds() {
		if en.Text(whyKey(k)) != k.English() || !fr.Has(whyKey(k)) || fr.Text(whyKey(k)) == k.English() {
			t.Errorf("%s is %q in English, %q in French", k.Key(), en.Text(whyKey(k)), fr.Text(whyKey(k)))
		}
	}
	why := reason.InColumn.Of("expr", 3, reason.NoNameBut.Of(`"dprot"`, reason.Meant.Of("dport")))
	if got := en.Why(why); got != why.Error() {
		t.Errorf("%q", got)
	}
	if got := fr.Why(why); got != "membre expr du filtre, caractère 3\u00a0: le nom \"dprot\" n’existe pas\u00a0: vouliez-vous dire dport\u202f?" {
		t.Errorf("%q", got)
	}
	if got := fr.Why(reason.NoBoolean.Of("5%d")); got != "il faut true ou false, et non 5%d" {
		t.Errorf("%q", got)
	}
}

// TestSpaces: no line begins with a sign that belongs to the word before it, and what readers may copy
// into a filter has common spaces only.
func TestSpaces(t *testing.T) {
	en, fr := languages(t)
	loose, marked := regexp.MustCompile(`« | [:;?!»]( |$|[.,»])`), 0
	for _, key := range fr.Keys() {
		if loose.MatchString(fr.texts[key]) {
			t.Errorf("%s may be broken beside a sign: %q", key, fr.texts[key])
		}
		if strings.ContainsAny(fr.texts[key], Spaces) {
			marked++
		}
		if strings.ContainsAny(en.texts[key], Spaces) {
			t.Errorf("%s has French spaces: %q", key, en.texts[key])
		}
	}
	if marked < 50 {
		t.Errorf("only %d texts have spaces that no line is broken at", marked)
	}
	for in, want := range map[string]string{
		"":                        "",
		"a : b ; c ? d !":         "a\u00a0: b\u202f; c\u202f? d\u202f!",
		"« a » ou « b », « ( »":   "«\u00a0a\u00a0» ou «\u00a0b\u00a0», «\u00a0(\u00a0»",
		"« x != 5 » 12:30 80,443": "«\u00a0x != 5\u00a0» 12:30 80,443",
		": « »":                   ": «\u00a0»",
	} {
		if got := frenchSpaces(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"no text":       "a.b = ",
		"no key":        " = text",
		"no equal sign": "a.b text",
		"twice":         "a = 1\nb = 2\na = 3",
		"no spaces":     "a=b",
	} {
		if texts, err := parse(data); err == nil {
			t.Errorf("%s: %v", name, texts)
		}
	}
	texts, err := parse("# comment\n\n a.b = x = y \n")
	if err != nil || texts["a.b"] != "x = y" {
		t.Errorf("%q, %v", texts, err)
	}
}

func TestCount(t *testing.T) {
	en, fr := languages(t)
	tests := []struct {
		l    *Language
		n    int
		want string
	}{
		{en, 0, "0 connections match"},
		{en, 1, "1 connection matches"},
		{en, 1234567, "1,234,567 connections match"},
		{fr, 0, "0 connexion correspond"},
		{fr, 1, "1 connexion correspond"},
		{fr, 2, "2 connexions correspondent"},
		{fr, 1234567, "1\u202f234\u202f567 connexions correspondent"},
	}
	for _, test := range tests {
		if got := test.l.Count("table.total", test.n); got != test.want {
			t.Errorf("%s %d: %q, want %q", test.l.Code, test.n, got, test.want)
		}
	}
	if got := en.Text("no.such.key", 1); got != "no.such.key" {
		t.Errorf("a missing text shows as %q", got)
	}
}

func TestNumbers(t *testing.T) {
	en, fr := languages(t)
	space := "\u00a0"
	tests := []struct{ got, want string }{
		{en.Number(0), "0"},
		{en.Number(999), "999"},
		{en.Number(1000), "1,000"},
		{en.Number(18446744073709551615), "18,446,744,073,709,551,615"},
		{en.Bytes(0), "0" + space + "B"},
		{en.Bytes(999), "999" + space + "B"},
		{en.Bytes(1000), "1.00" + space + "kB"},
		{en.Bytes(99_949), "99.9" + space + "kB"},
		{en.Bytes(999_400), "999" + space + "kB"},
		{en.Bytes(999_600), "1.00" + space + "MB"},
		{en.Bytes(18446744073709551615), "18.4" + space + "EB"},
		{fr.Bytes(1_234_000), "1,23" + space + "Mo"},
		{fr.Rate(1_234_000), "1,23" + space + "Mo/s"},
		{en.Share(0, 7), "0%"},
		{en.Share(1, 1000), "<" + space + "1%"},
		{en.Share(7, 7), "100%"},
		{fr.Share(1, 3), "33" + space + "%"},
		{fr.Share(1, 1000), "<" + space + "1" + space + "%"},
		{en.Seconds(0), "0" + space + "s"},
		{en.Seconds(61), "1" + space + "min 1" + space + "s"},
		{en.Seconds(3600), "1" + space + "h"},
		{fr.Seconds(431999), "4" + space + "j 23" + space + "h"},
		{fr.Ago(1500 * time.Millisecond), "1,5" + space + "s"},
		{en.Ago(-time.Second), "0.0" + space + "s"},
		{en.Ago(90 * time.Second), "1" + space + "min 30" + space + "s"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestTime(t *testing.T) {
	en, fr := languages(t)
	first := time.Date(2026, 8, 1, 23, 4, 5, 0, time.FixedZone("elsewhere", -3600))
	if got := en.Time(first); got != "2 Aug 2026, 00:04:05\u00a0UTC" {
		t.Errorf("%q", got)
	}
	if got := fr.Time(first.Add(-24 * time.Hour)); got != "1er août 2026, 00:04:05\u00a0UTC" {
		t.Errorf("%q", got)
	}
	if got := fr.Clock(first); got != "00:04:05" {
		t.Errorf("%q", got)
	}
}

func TestChoose(t *testing.T) {
	all, err := Languages()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ chosen, header, want string }{
		"nothing":             {"", "", "en"},
		"French":              {"", "fr", "fr"},
		"a region":            {"", "fr-CA,en;q=0.5", "fr"},
		"upper case":          {"", "FR-fr", "fr"},
		"weights":             {"", "fr;q=0.3, en;q=0.7", "en"},
		"first of equals":     {"", "fr;q=0.5, en;q=0.5", "fr"},
		"refused":             {"", "fr;q=0", "en"},
		"others only":         {"", "de, ja;q=0.5", "en"},
		"after others":        {"", "de, fr;q=0.5", "fr"},
		"chosen":              {"fr", "en", "fr"},
		"chosen, but unknown": {"xx", "fr", "fr"},
		"no weight":           {"", "fr;q=x, en;q=0.1", "en"},
		"not a number":        {"", "fr;q=NaN, en;q=0.1", "en"},
		"beyond one":          {"", "fr;q=7, en;q=0.1", "en"},
		"endless":             {"", strings.Repeat("de,", 1<<20) + "fr", "en"},
	}
	for name, test := range tests {
		if got := Choose(all, test.chosen, test.header).Code; got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func FuzzChoose(f *testing.F) {
	for _, s := range []string{"fr-FR,fr;q=0.9,en;q=0.8", ";q=", ",,;,", "fr;q=1e308", "*"} {
		f.Add(s)
	}
	all, err := Languages()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if !slices.Contains(all, Choose(all, "", header)) {
			t.Error("a language that is none of them")
		}
	})
}
