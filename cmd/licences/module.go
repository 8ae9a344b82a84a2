// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// architectures are those that packages are made for: a module may be linked on one alone.
func architectures() []string { return []string{"amd64", "arm64"} }

// maxLicence bounds what is read of one file, in bytes.
const maxLicence = 256 << 10

// A module is linked into one of the programs.
type module struct {
	path, version string
	dir           string
	licence       string // SPDX expression
	files         []file
}

type file struct{ name, text string }

// linked finds the modules, sorted by path, the standard library among them.
func linked() ([]module, error) {
	root, err := output(nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	// Its version is the compiler's: nothing that a commit says.
	modules := []module{{path: "std", version: "Go's standard library", dir: strings.TrimSpace(root)}}
	for _, architecture := range architectures() {
		lines, err := output([]string{"GOOS=linux", "GOARCH=" + architecture, "CGO_ENABLED=0"}, "go", "list", "-deps",
			"-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}",
			"nuconntrack/cmd/nuconntrack-privd", "nuconntrack/cmd/nuconntrack-frontd", "nuconntrack/cmd/nuctl")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(lines) {
			if parts := strings.Split(strings.TrimSpace(line), "\t"); len(parts) == 3 {
				modules = append(modules, module{path: parts[0], version: parts[1], dir: parts[2]})
			}
		}
	}
	slices.SortStableFunc(modules, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return slices.CompactFunc(modules, func(a, b module) bool { return a.path == b.path }), nil
}

func output(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s %s: %w %s", name, args[0], err, errs.String())
	}
	return string(out), nil
}

// kept matches the files that have to go along with binaries.
var kept = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents)([.-][\w.]+)?$`)

// identify reads the modules' files and finds their licences.
func identify(modules []module) error {
	for i := range modules {
		m := &modules[i]
		entries, err := os.ReadDir(m.dir)
		if err != nil {
			return fmt.Errorf("read module %s: %w", m.path, err)
		}
		for _, e := range entries {
			if e.IsDir() || !kept.MatchString(e.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(m.dir, e.Name()))
			if err != nil {
				return fmt.Errorf("read licence of %s: %w", m.path, err)
			}
			if len(text) > maxLicence {
				return fmt.Errorf("%s of %s has %d bytes", e.Name(), m.path, len(text))
			}
			m.files = append(m.files, file{e.Name(), string(text)})
			if name := strings.ToLower(e.Name()); strings.HasPrefix(name, "notice") || strings.HasPrefix(name, "patents") {
				continue
			}
			licence := recognize(string(text))
			if licence == "" || m.licence != "" {
				return fmt.Errorf("%s: the licence in %s is not one that is known here: look at it, and whether it "+
					"can be passed on under the GPL version 3", m.path, e.Name())
			}
			m.licence = licence
		}
		if m.licence == "" {
			return fmt.Errorf("%s has no file with a licence", m.path)
		}
	}
	return nil
}

// recognize gives the SPDX expression of a licence's text, of those that go with the GPL version 3;
// empty: it is none that is known.
func recognize(text string) string {
	if said := regexp.MustCompile(`SPDX-License-Identifier: (.*?)( \*/)?\n`).FindStringSubmatch(text); said != nil {
		if said[1] == "BSD-3-Clause OR GPL-2.0-only" {
			return said[1]
		}
		return ""
	}
	// Lines are broken anywhere, and quotation marks of any kind.
	plain := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	has := func(words string) bool { return strings.Contains(plain, words) }
	switch {
	case has("general public license"), has("mozilla public"), has("eclipse public"), has("server side public"), has("commons clause"):
		return ""
	case has("apache license version 2.0, january 2004") && has("grant of patent license"):
		return "Apache-2.0"
	case has("permission is hereby granted, free of charge") && has("the above copyright notice and this permission notice shall be included"):
		return "MIT"
	case has("redistribution and use in source and binary forms") && has("all advertising materials"):
		return ""
	case has("redistribution and use in source and binary forms") && (has("neither the name") || has("may not be used to endorse")):
		return "BSD-3-Clause"
	case has("redistribution and use in source and binary forms") && has("this list of conditions"):
		return "BSD-2-Clause"
	}
	return ""
}
