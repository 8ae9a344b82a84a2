// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rpcAddress is where frontd listens besides its Unix socket, in a namespace of its own.
const rpcAddress = "127.0.0.1:8580"

// everything is a policy that refuses nothing that can be asked for.
const everything = `
[kill]
allow = true

[change]
allow = true
timeout_min = 1
timeout_max = 2147483
`

// world is a pair of daemons and their files.
type world struct {
	dir           string
	privd, frontd *process
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newWorld starts both daemons in the namespace of this process. Everybody may log in. The
// policy "" is that there is no file. Lines of config come after those of the test.
func newWorld(t testing.TB, policy string, config ...string) *world {
	t.Helper()
	w := &world{dir: shortDir(t)}
	if policy != "" {
		w.write(t, "policy.toml", policy)
	}
	w.startPrivd(t)
	w.startFrontd(t, config...)
	return w
}

// startPrivd starts the helper in a namespace that has one user, who stays root there.
func (w *world) startPrivd(t testing.TB) {
	t.Helper()
	w.privd = startDaemon(t, nil, privdName, "--policy", w.path("policy.toml"), "--socket", w.path("privd.sock"),
		"--peer-user", "0", "--user", "self", "--audit", "stderr")
}

func (w *world) startFrontd(t testing.TB, config ...string) {
	t.Helper()
	w.write(t, "frontd.toml", w.config(config...))
	w.frontd = startDaemon(t, nil, frontdName, "--config", w.path("frontd.toml"))
}

// config lets sessions live longer than a slow machine takes for a test.
func (w *world) config(lines ...string) string {
	text := `listen = ["unix:` + w.path("frontd.sock") + `", "` + rpcAddress + `"]
privd = "` + w.path("privd.sock") + `"
user = "self"
session_timeout = "10m"
`
	if len(lines) == 0 {
		lines = []string{"[auth]", `backend = "none"`}
	}
	return text + strings.Join(lines, "\n") + "\n"
}

// client calls by the Unix socket, so that its own connections are not in the table.
func (w *world) client(t testing.TB) *client { return newClient(t, w.path("frontd.sock")) }

func (w *world) login(t testing.TB) *session {
	t.Helper()
	return w.client(t).login(t)
}
