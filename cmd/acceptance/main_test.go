// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	// binVariable tells the processes inside namespaces where the programs are.
	binVariable = "NUCONNTRACK_ACCEPTANCE_BIN"
	// patience is how long a test waits for what must happen.
	patience = 30 * time.Second
)

const (
	privdName  = "nuconntrack-privd"
	frontdName = "nuconntrack-frontd"
	nuctlName  = "nuctl"
)

// TestMain builds the programs once, for this process and those that it starts.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv(binVariable) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nuct-bin-")
	if err == nil {
		defer os.RemoveAll(dir)
		// Daemons that become another user have to be found by that user too.
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		err = build(dir)
	}
	if err == nil {
		err = os.Setenv(binVariable, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build programs:", err)
		return 1
	}
	return m.Run()
}

func build(dir string) error {
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, name := range [...]string{privdName, frontdName, nuctlName} {
		args = append(args, "nuconntrack/cmd/"+name)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// bin is the path of a program.
func bin(name string) string { return filepath.Join(os.Getenv(binVariable), name) }

// waitFor waits until something is so that nothing tells about.
func waitFor(t testing.TB, what string, so func() bool) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); !so(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}
