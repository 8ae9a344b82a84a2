// SPDX-License-Identifier: GPL-2.0-or-later

// Package cmd_test keeps what no compiler keeps: which package may import which, and what
// every file begins with.
package cmd_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "nuconntrack"

// rules say what packages below a folder may import of ours, besides what is below the
// same folder. The longest folder that fits counts; "folder/." is that package alone.
var rules = []struct {
	folder, why string
	may         []string
}{
	{"ipc", "the wire must make sense without either of its ends", nil},
	{"policy", "decisions are pure: whatever they could reach, they could come to depend on", nil},
	{"privd", "what holds CAP_NET_ADMIN links nothing that parses XML, HTTP or what a client sent", []string{"ipc", "policy"}},
	{"frontd", "what faces the network links nothing that could speak to the kernel's table", []string{"ipc", "policy"}},
	{"frontd/table", "a table answers questions; who asks, and in which protocol, it does not know", []string{"frontd/reason", "ipc", "policy"}},
	{"frontd/table/expr", "the grammar knows nothing of tables and their fields", []string{"frontd/reason"}},
	{"frontd/table/ident", "keys mean the same to the command line, which has no table", []string{"ipc"}},
	{"frontd/table/ranking", "order and groups are found by fields and filters, whoever holds the table", []string{"frontd/table/."}},
	{"frontd/table/store", "what holds tables knows when they are read, not what is asked of them", []string{"frontd/table/.", "ipc"}},
	{"frontd/xmlrpc", "the codec knows nothing of the methods", []string{}},
	{"cmd/privilege", "what drops privileges runs before anything else and needs nothing of it", nil},
	{"cmd/daemontest", "what starts the programs must not reach into them", nil},
	{"cmd/sdnotify", "what talks to systemd needs nothing else", nil},
	{"cmd/logging", "both daemons log by it, so it knows neither", nil},
	{"cmd/nuconntrack-privd", "a thin main", []string{"cmd/logging", "cmd/privilege", "cmd/sdnotify", "ipc", "policy", "privd"}},
	{"cmd/nuconntrack-frontd", "a thin main", []string{"cmd/logging", "cmd/privilege", "cmd/sdnotify", "frontd"}},
	{"cmd/nuctl", "the command line starts and asks the daemons, and edits their files", []string{"cmd/privilege", "frontd", "ipc", "policy"}},
	{"cmd", "tests of the whole", []string{"cmd", "frontd", "ipc", "policy", "privd"}},
	{"systemd", "tests of the whole", []string{"cmd", "frontd", "ipc", "policy", "privd"}},
}

// outside are imports that a folder must never have, whatever links them.
var outside = []struct {
	folder, why string
	never       []string
}{
	{"privd", "privd has no shell, no name look-ups over the network, no XML, no HTTP, no JSON parser that it needs",
		[]string{"net/http", "encoding/xml", "os/exec", "html/template", "github.com/kolo/xmlrpc"}},
	{"cmd/nuconntrack-privd", "the same for the whole program",
		[]string{"net/http", "encoding/xml", "os/exec", "html/template"}},
}

// pkg is a part of what `go list -json` prints.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages", len(all))
	}
	return all
}

func below(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		best := -1
		for i, r := range rules {
			if below(path, r.folder) && (best < 0 || len(r.folder) > len(rules[best].folder)) {
				best = i
			}
		}
		if best < 0 {
			t.Errorf("%s is in no folder that the design names", path)
			continue
		}
		r := rules[best]
		for _, imp := range p.Imports {
			imp, ours := strings.CutPrefix(imp, module+"/")
			if !ours || below(imp, r.folder) {
				continue
			}
			allowed := false
			for _, m := range r.may {
				allowed = allowed || below(imp, m) || imp+"/." == m
			}
			if !allowed {
				t.Errorf("%s imports %s: %s", path, imp, r.why)
			}
		}
	}
}

func TestNeverLinked(t *testing.T) {
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, o := range outside {
			// nstest is for tests and is linked into no program.
			if !below(path, o.folder) || path == "privd/nstest" {
				continue
			}
			for _, dep := range p.Deps {
				for _, never := range o.never {
					if dep == never {
						t.Errorf("%s links %s: %s", path, dep, o.why)
					}
				}
			}
		}
	}
}

// TestOnlyTestsImportTestSupport: packages made for tests have no place in a program.
func TestOnlyTestsImportTestSupport(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			switch path.Base(imp) {
			case "nstest", "helpertest", "daemontest", "terminaltest":
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

func TestLicenceHeaders(t *testing.T) {
	const licence = "SPDX-License-Identifier: GPL-2.0-or-later"
	sources := []string{".go", ".sh", ".js", ".mjs", ".py", ".css", ".html", ".service", ".socket"}
	n := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // what goes meanwhile is no source
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(sources, filepath.Ext(path)):
			return nil
		}
		n++
		b, err := os.ReadFile(path)
		first, rest, _ := strings.Cut(string(b), "\n")
		if strings.HasPrefix(first, "#!") {
			first, _, _ = strings.Cut(rest, "\n")
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
		case filepath.Ext(path) == ".go" && first != "// "+licence, !strings.Contains(first, licence):
			t.Errorf("%s does not begin with its licence", path)
		}
		return err
	})
	if err != nil || n < 50 {
		t.Errorf("%d files, %v", n, err)
	}
}
