// SPDX-License-Identifier: GPL-2.0-or-later

// Package daemontest is for tests that use the real programs from outside: it builds them
// once, starts daemons, waits until they say that they are ready, keeps what they write, and
// ends them with the test, which fails if they do not end well. Only tests may import it. It
// must not look into a daemon, and it knows nothing of namespaces: it starts processes where
// the test is. Its input is the source tree, the go command, and what a test says.
package daemontest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The programs, as they are called below cmd/ and when they are built.
const (
	Privd  = "nuconntrack-privd"
	Frontd = "nuconntrack-frontd"
	Nuctl  = "nuctl"
)

// folderVariable tells the processes inside namespaces where the programs are.
const folderVariable = "NUCONNTRACK_DAEMONTEST_BIN"

// Setup says what the tests of a package need.
type Setup struct {
	Programs []string // folders below cmd/ to build
	// Prepare does what else is needed once, with the folder of the programs, and gives what
	// undoes it. Either may be nil: nothing to do.
	Prepare func(dir string) (undo func(), err error)
}

// Main runs the tests of a package and gives the exit code, for its TestMain. Programs are
// built once, for this process and for those that nstest.Run starts.
func Main(m *testing.M, s Setup) int {
	if os.Getenv(folderVariable) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nuct-bin-")
	if err == nil {
		defer os.RemoveAll(dir)
		// Daemons that become another user have to be found by that user too.
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		err = Build(dir, s.Programs...)
	}
	if err == nil {
		err = os.Setenv(folderVariable, dir)
	}
	if err == nil && s.Prepare != nil {
		var undo func()
		if undo, err = s.Prepare(dir); undo != nil {
			defer undo()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "before the tests:", err)
		return 1
	}
	return m.Run()
}

// Build builds programs from folders below cmd/, as they are shipped.
func Build(dir string, programs ...string) error {
	args := []string{"build", "-trimpath", "-o", dir + string(filepath.Separator)}
	for _, name := range programs {
		args = append(args, "nuconntrack/cmd/"+name)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %q: %w\n%s", programs, err, out)
	}
	return nil
}

// Built builds programs for one test, and gives their folder.
func Built(t testing.TB, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := Build(dir, programs...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Program is the path of a program that Main has built.
func Program(name string) string { return filepath.Join(os.Getenv(folderVariable), name) }

// Command is a call of such a program, with as little of an environment as systemd gives.
func Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(Program(name), args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	return cmd
}
