// SPDX-License-Identifier: GPL-2.0-or-later

package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link is one of Markdown, with its target.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// documents are all pages below a folder that are written in Markdown.
func documents(t *testing.T, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", p, len(files), err)
		}
		all = append(all, files...)
	}
	return all
}

// checkLinks finds every link that leads to no file, or to no heading in it.
func checkLinks(t *testing.T, files []string) {
	t.Helper()
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			target, heading, _ := strings.Cut(m[1], "#")
			target = filepath.Join(filepath.Dir(file), target)
			there, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: a link leads nowhere: %v", file, err)
			} else if heading != "" && !hasHeading(string(there), heading) {
				t.Errorf("%s: there is no heading for %s", file, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no link was found")
	}
}

// hasHeading says whether a document has the heading to which an anchor belongs.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' &&
			strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestLinks follows the documents' links, and asks that the README leads to every document.
func TestLinks(t *testing.T) {
	checkLinks(t, documents(t, "../*.md", "../docs/*.md"))
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range documents(t, "../docs/*.md") {
		if name := filepath.Base(file); !strings.Contains(string(readme), "](docs/"+name+")") {
			t.Errorf("the README does not name docs/%s", name)
		}
	}
}

// TestInstalledLinks follows them where the documents are installed, in one folder.
func TestInstalledLinks(t *testing.T) {
	built, root := t.TempDir(), t.TempDir()
	for _, file := range []string{"nuctl", "nuconntrack-frontd", "nuconntrack-privd", "man/man1/nuctl.1",
		"completions/bash/nuctl", "completions/zsh/_nuctl", "completions/fish/nuctl.fish"} {
		path := filepath.Join(built, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("make", "-s", "-C", "..", "install-files", "BIN="+built, "MANUALS="+built, "DESTDIR="+root,
		"PREFIX=/usr", "SYSCONFDIR=/etc")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make install-files: %v\n%s", err, out)
	}
	checkLinks(t, documents(t, filepath.Join(root, "usr/share/doc/nuconntrack/*.md")))
}
