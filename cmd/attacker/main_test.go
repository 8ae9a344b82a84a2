// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"nuconntrack/privd/nstest"
)

const (
	// privdVariable tells the processes inside namespaces where the program is.
	privdVariable   = "NUCONNTRACK_ATTACK_PRIVD"
	packetsVariable = "NUCONNTRACK_ATTACK_PACKETS"
	seedVariable    = "NUCONNTRACK_ATTACK_SEED"

	defaultPackets = 50_000
	// patience is how long a test waits for what must happen.
	patience = 30 * time.Second
)

// TestMain builds the helper once, for this process and those that it starts.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv(privdVariable) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "nuct-attacker-")
	if err == nil {
		defer os.RemoveAll(dir)
		program := filepath.Join(dir, "nuconntrack-privd")
		err = build(program)
		os.Setenv(privdVariable, program)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the helper:", err)
		return 1
	}
	return m.Run()
}

func build(program string) error {
	cmd := exec.Command("go", "build", "-o", program, "nuconntrack/cmd/nuconntrack-privd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// inNamespace runs a test beside others in a namespace of its own.
func inNamespace(t *testing.T, body func(*testing.T)) {
	t.Helper()
	t.Parallel()
	readSources(t)
	nstest.Run(t, body)
}

// readSources looks at what the helper is made of and at the variables: go test takes an
// old result for good as long as nothing has changed that the test's own process has
// looked at, and the helper is built and attacked by others.
func readSources(t testing.TB) {
	t.Helper()
	os.Getenv(packetsVariable)
	os.Getenv(seedVariable)
	for _, folder := range [...]string{"ipc", "policy", "privd", "cmd/privilege", "cmd/nuconntrack-privd"} {
		root := filepath.Join("..", "..", folder)
		err := filepath.WalkDir(root, func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// number reads a variable of the environment.
func number(t testing.TB, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// seed logs itself, so that a failure can be repeated.
func seed(t testing.TB) uint64 {
	t.Helper()
	n := number(t, seedVariable, uint64(time.Now().UnixNano()))
	t.Logf("%s=%d", seedVariable, n)
	return n
}

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
