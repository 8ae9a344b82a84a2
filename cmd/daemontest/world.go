// SPDX-License-Identifier: GPL-2.0-or-later

package daemontest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen.
const Patience = 90 * time.Second

// WaitFor waits until something is so that nothing tells about.
func WaitFor(t testing.TB, what string, so func() bool) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(Patience); !so(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", Patience, what)
		}
	}
}

// Folder makes a folder for a test that other users may enter, with a path that is short
// enough for sockets, as those of t.TempDir may not be.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nuct-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// World is a folder with the files of both daemons, and the daemons once they are started.
type World struct {
	Dir           string
	Privd, Frontd *Process
}

// NewWorld makes the folder.
func NewWorld(t testing.TB) *World {
	t.Helper()
	return &World{Dir: Folder(t)}
}

// Path is that of a file in the folder. privd.sock is where the helper listens that
// StartPrivd starts.
func (w *World) Path(name string) string { return filepath.Join(w.Dir, name) }

// Write writes a file that nobody else may read, and gives its path.
func (w *World) Write(t testing.TB, name, text string) string {
	t.Helper()
	if err := os.WriteFile(w.Path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w.Path(name)
}

// PrivdArgs are those of a helper that stays who it is and serves the same user: root of a
// namespace that maps one user. The policy is the file policy.toml, if it is there.
func (w *World) PrivdArgs(audit string) []string {
	return []string{"--policy", w.Path("policy.toml"), "--socket", w.Path("privd.sock"),
		"--peer-user", "0", "--user", "self", "--audit", audit}
}

// StartPrivd starts the helper in the namespace of the test. Its audit is in its output.
func (w *World) StartPrivd(t testing.TB) {
	t.Helper()
	w.Privd = StartDaemon(t, Command(Privd, w.PrivdArgs("stderr")...))
}

// WriteConfig writes frontd.toml, with what every test wants before the test's own lines:
// the helper of this folder, and sessions that live longer than a slow machine takes for a
// test. It gives the file's path.
func (w *World) WriteConfig(t testing.TB, config string) string {
	t.Helper()
	return w.Write(t, "frontd.toml", fmt.Sprintf("privd = %q\nuser = \"self\"\nsession_timeout = \"1h\"\n", w.Path("privd.sock"))+config)
}

// StartFrontd starts the front daemon as whoever runs the test, with WriteConfig's file.
func (w *World) StartFrontd(t testing.TB, config string) {
	t.Helper()
	w.Frontd = StartDaemon(t, Command(Frontd, "--config", w.WriteConfig(t, config)))
}

// SetPassword gives a user a password in the file passwd, by nuctl, and gives its path.
func (w *World) SetPassword(t testing.TB, user, password string, flags ...string) string {
	t.Helper()
	cmd := Command(Nuctl, append([]string{"passwd", "--file", w.Path("passwd"), "--stdin", user}, flags...)...)
	cmd.Stdin = strings.NewReader(password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nuctl passwd: %v\n%s", err, out)
	}
	return w.Path("passwd")
}
