// SPDX-License-Identifier: GPL-2.0-or-later

//go:build packages

package systemd_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// higher is the tag of the version to upgrade to. Go takes no more than v1 for a module of this name.
const higher = "v1.99.0"

// command runs one of this machine's, in a folder.
func command(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out, errs.String())
	}
	return string(out)
}

// checkout clones this repository, with what has changed in it, as a commit of its own.
func checkout(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkout")
	command(t, "..", "git", "clone", "-q", ".", dir)
	if changed := command(t, "..", "git", "diff", "--binary", "HEAD"); changed != "" {
		patch := filepath.Join(t.TempDir(), "patch")
		if err := os.WriteFile(patch, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, dir, "git", "apply", "--index", patch)
		command(t, dir, "git", "-c", "user.name=x", "-c", "user.email=x@packages.invalid", "commit", "-q", "-m", "x",
			"--date=2026-01-02T03:04:05Z")
	}
	return dir
}

// packages builds those of a checkout, and gives their paths.
func packages(t *testing.T, dir string, architectures ...string) []string {
	t.Helper()
	out := t.TempDir()
	command(t, dir, append([]string{"systemd/package/build.sh", out}, architectures...)...)
	return glob(t, out+"/*")
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// one finds the package of a kind.
func one(t *testing.T, all []string, suffix string) string {
	t.Helper()
	var found []string
	for _, file := range all {
		if strings.HasSuffix(file, suffix) {
			found = append(found, file)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d packages %s in %q", len(found), suffix, all)
	}
	return found[0]
}

// TestPackages builds all packages once; its parts look at them and install them.
func TestPackages(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("installing packages needs root")
	}
	first, second := checkout(t), checkout(t)
	if a, b := command(t, first, "git", "rev-parse", "HEAD^{tree}"), command(t, second, "git", "rev-parse", "HEAD^{tree}"); a != b {
		t.Fatalf("two checkouts differ: %s %s", a, b)
	}
	// With changes, each checkout has a commit of its own.
	command(t, second, "git", "fetch", "-q", first, "HEAD")
	command(t, second, "git", "reset", "-q", "--hard", "FETCH_HEAD")
	built := packages(t, first)
	again := packages(t, second, "amd64")
	command(t, second, "git", "tag", higher)
	upgrade := packages(t, second, "amd64")

	t.Run("the same bytes again", func(t *testing.T) { testSameBytes(t, built, again) })
	t.Run("all files", func(t *testing.T) { testAllFiles(t, built) })
	m := bootWith(t, "")
	t.Run("deb", func(t *testing.T) {
		testDeb(t, m, one(t, built, "_amd64.deb"), one(t, upgrade, "_amd64.deb"))
	})
	t.Run("rpm", func(t *testing.T) {
		testRPM(t, m, one(t, built, ".x86_64.rpm"), one(t, upgrade, ".x86_64.rpm"))
	})
	t.Run("lint", func(t *testing.T) { testLint(t, m, built) })
}

func testSameBytes(t *testing.T, built, again []string) {
	if len(built) != 4 || len(again) != 2 {
		t.Fatalf("%d and %d packages, want 4 and 2: %q", len(built), len(again), built)
	}
	for _, file := range again {
		if read(t, file) != read(t, one(t, built, filepath.Base(file))) {
			t.Errorf("%s has other bytes when it is built again", filepath.Base(file))
		}
	}
}

// testAllFiles compares the packages with what make install installs.
func testAllFiles(t *testing.T, built []string) {
	root := t.TempDir()
	command(t, "..", "make", "-s", "install", "DESTDIR="+root)
	var installed []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			installed = append(installed, strings.TrimPrefix(path, root))
		}
		return err
	})
	if err != nil || len(installed) < 40 {
		t.Fatalf("%d files: %v", len(installed), err)
	}
	for _, file := range built {
		var has []string
		var more []string
		if strings.HasSuffix(file, ".deb") {
			for line := range strings.Lines(command(t, ".", "dpkg-deb", "--contents", file)) {
				if path := strings.Fields(line)[5]; !strings.HasSuffix(path, "/") {
					has = append(has, strings.Replace(path[1:], "/zsh/vendor-completions/", "/zsh/site-functions/", 1))
				}
			}
			more = []string{"/usr/share/doc/nuconntrack/changelog.Debian.gz", "/usr/share/lintian/overrides/nuconntrack"}
		} else {
			for line := range strings.Lines(command(t, ".", "rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", file)) {
				if parts := strings.Fields(line); !strings.HasPrefix(parts[0], "d") {
					has = append(has, parts[1])
				}
			}
		}
		more = append(more, "/usr/share/doc/nuconntrack/copyright", "/usr/share/doc/nuconntrack/licences.gz")
		want := slices.Concat(installed, more)
		slices.Sort(want)
		slices.Sort(has)
		if !slices.Equal(has, want) {
			t.Errorf("%s has\n%s\nwant\n%s", filepath.Base(file), strings.Join(has, "\n"), strings.Join(want, "\n"))
		}
	}
}

// testLint wants no word of either but for what the overrides say. It is done in there, and last:
// rpmlint unpacks with cpio, to where the names in the archive say, and these begin with a slash.
func testLint(t *testing.T, m *machine, built []string) {
	overrides := m.within(t, "package/rpmlint.toml", "/tmp/rpmlint.toml")
	for _, file := range built {
		inside := m.within(t, file, "/tmp/"+filepath.Base(file))
		args := []string{"lintian", "--allow-root", "--tag-display-limit=0", inside}
		clean := func(out string) bool { return out == "" }
		if strings.HasSuffix(file, ".rpm") {
			args = []string{"rpmlint", "-c", overrides, inside}
			clean = func(out string) bool { return strings.Contains(out, " 0 errors, 0 warnings") }
		}
		if out, err := m.try(args...); err != nil || !clean(strings.TrimSpace(out)) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
