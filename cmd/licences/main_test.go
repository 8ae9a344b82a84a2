// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestListIsCommitted compares docs/licences.md with what is linked.
func TestListIsCommitted(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(nil, &out, &errs); code != 0 {
		t.Fatalf("code %d: %s", code, errs.String())
	}
	committed, err := os.ReadFile("../../docs/licences.md")
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(committed) {
		t.Errorf("docs/licences.md is not what is linked (make licences writes it):\n%s", out.String())
	}
	for _, want := range []string{"| std |", "| github.com/spf13/cobra |", "Apache-2.0", "MIT", "BSD-3-Clause"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestTexts(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"-texts"}, &out, &errs); code != 0 {
		t.Fatalf("code %d: %s", code, errs.String())
	}
	for _, want := range []string{"TERMS AND CONDITIONS FOR USE, REPRODUCTION", "Copyright 2009 The Go Authors", "\nNOTICE\n", "\nPATENTS\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestRecognize(t *testing.T) {
	const bsd = "Redistribution and use in source and binary\n  forms, with this list of conditions. "
	const mit = "Permission is hereby granted, free of charge, to any. The above copyright notice and this permission\nnotice shall be included."
	for name, test := range map[string]struct{ text, want string }{
		"nothing":              {"", ""},
		"reserved":             {"All rights reserved.", ""},
		"GPL":                  {"GNU General Public License, version 2", ""},
		"AGPL":                 {"GNU Affero General Public License", ""},
		"MPL":                  {"Mozilla Public License Version 2.0", ""},
		"BSD with advertising": {bsd + "All advertising materials must display. Neither the name", ""},
		"MIT with a clause":    {mit + " Commons Clause", ""},
		"half of MIT":          {"Permission is hereby granted, free of charge, to any.", ""},
		"Apache by name alone": {"under the Apache License", ""},
		"unknown SPDX":         {"// SPDX-License-Identifier: SSPL-1.0\n" + mit, ""},
		"MIT":                  {mit, "MIT"},
		"BSD of 2":             {bsd, "BSD-2-Clause"},
		"BSD of 3":             {bsd + "Neither the name of", "BSD-3-Clause"},
	} {
		if got := recognize(test.text); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestIdentifyRefuses(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no file":        {"README": "MIT"},
		"unknown":        {"LICENSE": "Do what you are told."},
		"only a notice":  {"NOTICE": "By somebody."},
		"two licences":   {"LICENSE": mitText, "COPYING": mitText},
		"beyond a limit": {"LICENSE": mitText + strings.Repeat(" ", maxLicence)},
	} {
		dir := t.TempDir()
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := identify([]module{{path: "example.org/x", dir: dir}}); err == nil || !strings.Contains(err.Error(), "example.org/x") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := identify([]module{{path: "example.org/x", dir: filepath.Join(t.TempDir(), "none")}}); err == nil {
		t.Error("no folder: no error")
	}
}

const mitText = "Permission is hereby granted, free of charge, to any. The above copyright notice and this permission notice shall be included."

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{{"-x"}, {"x"}} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code != exitUsage || errs.Len() == 0 {
			t.Errorf("%q: code %d %s", args, code, errs.String())
		}
	}
}
