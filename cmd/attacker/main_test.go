// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"
)

const (
	packetsVariable = "NUCONNTRACK_ATTACK_PACKETS"
	seedVariable    = "NUCONNTRACK_ATTACK_SEED"

	defaultPackets = 50_000
)

func TestMain(m *testing.M) {
	os.Exit(daemontest.Main(m, daemontest.Setup{Programs: []string{daemontest.Privd}}))
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
