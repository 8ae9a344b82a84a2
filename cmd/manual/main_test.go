// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/frontd/config"
	"nuconntrack/frontd/rpc"
	"nuconntrack/frontd/table"
	"nuconntrack/policy"
)

// made writes all pages once for a test, and gives them as man shows them.
func made(t *testing.T) (folder string, shown map[string]string) {
	t.Helper()
	bin, folder := daemontest.Built(t, daemontest.Frontd, daemontest.Privd), t.TempDir()
	var errs bytes.Buffer
	if code := run([]string{"-bin", bin, "-out", folder, "-date", "2026-01-02"}, &errs); code != 0 {
		t.Fatalf("code %d\n%s", code, errs.String())
	}
	files, err := filepath.Glob(filepath.Join(folder, "man", "man*", "*"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d pages: %v", len(files), err)
	}
	shown = make(map[string]string)
	for _, file := range files {
		shown[filepath.Base(file)] = man(t, file)
	}
	return folder, shown
}

// man renders a page, without a word of complaint.
func man(t *testing.T, file string) string {
	t.Helper()
	cmd := exec.Command("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", file)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "MANWIDTH=100", "LC_ALL=C.UTF-8", "GROFF_NO_SGR=1", "TERM=dumb"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Errorf("man %s: %v\n%s", file, err, errs.String())
	}
	// Bold and italic are written over themselves.
	text := regexp.MustCompile(".\b").ReplaceAllString(out.String(), "")
	return strings.Join(strings.Fields(text), " ")
}

// TestPages asks for everything that the programs know, in the page where one looks for it.
func TestPages(t *testing.T) {
	folder, shown := made(t)
	want := func(page string, texts ...string) {
		t.Helper()
		if shown[page] == "" {
			t.Errorf("there is no page %s", page)
			return
		}
		for _, text := range texts {
			if !strings.Contains(shown[page], strings.Join(strings.Fields(text), " ")) {
				t.Errorf("%s does not say %q", page, text)
			}
		}
	}
	for _, m := range rpc.Methods() {
		want("nuconntrack-api.7", m.Help)
	}
	for _, f := range table.Fields() {
		want("nuconntrack-api.7", f.Name+" ("+f.Type, f.Help)
	}
	for _, f := range rpc.Faults() {
		want("nuconntrack-api.7", strconv.Itoa(f.Code)+" "+f.Meaning)
	}
	for page, text := range map[string]string{
		"nuconntrack-frontd.toml.5": config.Reference(), "nuconntrack-policy.toml.5": policy.Reference(),
	} {
		want(page, configured(text)...)
	}
	for _, e := range table.ExprExamples() {
		want("nuconntrack-expressions.7", e[0], e[1])
	}
	for _, program := range []string{"nuconntrack-frontd", "nuconntrack-privd"} {
		for _, flag := range declared(t, program) {
			want(program+".8", "--"+flag)
		}
	}
	walk(tree(), func(cmd *cobra.Command) {
		page := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		want(page, cmd.Short)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			_, usage := pflag.UnquoteUsage(f)
			want(page, "--"+f.Name, usage)
		})
	})
	for file := range shown {
		name, _, _ := strings.Cut(file, ".")
		path, _ := filepath.Glob(filepath.Join(folder, "man", "man*", file)) // fails for a bad pattern only
		if out, err := exec.Command("lexgrog", path...).Output(); err != nil || !strings.Contains(string(out), `"`+name) {
			t.Errorf("whatis does not find %s: %v %s", file, err, out)
		}
	}
}

// TestDocumentIsCommitted compares docs/api.md with what the programs are.
func TestDocumentIsCommitted(t *testing.T) {
	committed, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != document() {
		t.Error("docs/api.md is not what make api writes")
	}
}

// TestDocumentEscapes: texts of the program are text in the document.
func TestDocumentEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"<i8> or *":  `\<i8> or \*`,
		"a|b":        `a\|b`,
		"[x](y) `z`": "\\[x](y) \\`z\\`",
		"orig_*_src": `orig_\*_src`,
		`back\slash`: `back\\slash`,
	} {
		if got := escaped(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// configured are the lines of a reference with keys, as a page has them.
func configured(text string) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if setting.MatchString(line) {
			all = append(all, strings.TrimPrefix(line, "#"))
		}
	}
	return all
}

func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, c := range shown(cmd) {
		walk(c, visit)
	}
}

// declared are the flags in the source of a daemon.
func declared(t *testing.T, program string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../" + program + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !regexp.MustCompile(`^(String|Bool|Int|Int64|Uint|Duration|Float64|Text)?(Var|Func)$`).MatchString(method.Sel.Name) {
				return true
			}
			for _, arg := range call.Args[:2] {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					name, _ := strconv.Unquote(lit.Value) // the parser has read it
					names = append(names, name)
					break
				}
			}
			return true
		})
	}
	if !slices.Contains(names, "check-config") || len(names) < 4 {
		t.Fatalf("found only %q in %s", names, program)
	}
	return names
}

// TestFaultsAreComplete finds a code that was added without a meaning.
func TestFaultsAreComplete(t *testing.T) {
	n := 0
	for file, prefix := range map[string]string{
		"../../frontd/service/fault.go": "Code", "../../frontd/xmlrpc/fault.go": "Fault",
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^\s+`+prefix+`\w+\s*= (-?\d+)`).FindAllSubmatch(source, -1) {
			n++
			code, err := strconv.Atoi(string(found[1]))
			if err != nil {
				t.Fatal(err)
			}
			one := 0
			for _, f := range rpc.Faults() {
				if f.Code == code && f.Meaning != "" {
					one++
				}
			}
			if one != 1 {
				t.Errorf("code %d of %s has %d meanings", code, file, one)
			}
		}
	}
	if n < len(rpc.Faults()) {
		t.Errorf("found %d codes, and there are %d meanings", n, len(rpc.Faults()))
	}
}

func TestHelpThatIsNotUnderstood(t *testing.T) {
	for name, help := range map[string]string{
		"empty":         "",
		"no usage":      "What it is.\n\n  --flag\n      text",
		"no flags":      "Usage: x\n\nWhat it is.",
		"nothing about": "Usage: x\n\n  --flag\n      text",
	} {
		if d, err := parseHelp(help); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		code int
	}{
		"an unknown flag":   {[]string{"-x"}, exitUsage},
		"an argument":       {[]string{"x"}, exitUsage},
		"no daemons":        {[]string{"-bin", t.TempDir(), "-out", t.TempDir()}, exitFailed},
		"nowhere to put it": {[]string{"-bin", "/bin", "-out", "/dev/null"}, exitFailed},
	} {
		var out bytes.Buffer
		if code := run(test.args, &out); code != test.code || out.Len() == 0 {
			t.Errorf("%s: code %d, want %d: %s", name, code, test.code, out.String())
		}
	}
}

// TestCompletions asks the shells whether they understand what was written for them.
func TestCompletions(t *testing.T) {
	folder := t.TempDir()
	if err := completions(folder); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("bash", "-n", filepath.Join(folder, "bash", "nuctl")).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("bash: %v %s", err, out)
	}
	for _, file := range []string{"zsh/_nuctl", "fish/nuctl.fish"} {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil || !strings.Contains(string(text), "nuctl") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
