// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
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
type world struct{ *daemontest.World }

func emptyWorld(t testing.TB) *world {
	t.Helper()
	return &world{daemontest.NewWorld(t)}
}

// newWorld starts both daemons in the namespace of this process. Everybody may log in. The
// policy "" is that there is no file. Lines of config come after those of the test.
func newWorld(t testing.TB, policy string, config ...string) *world {
	t.Helper()
	w := emptyWorld(t)
	if policy != "" {
		w.Write(t, "policy.toml", policy)
	}
	w.StartPrivd(t)
	w.startFrontd(t, config...)
	return w
}

func (w *world) startFrontd(t testing.TB, config ...string) {
	t.Helper()
	w.StartFrontd(t, w.config(config...))
}

func (w *world) config(lines ...string) string {
	if len(lines) == 0 {
		lines = []string{"[auth]", `backend = "none"`}
	}
	return `listen = ["unix:` + w.Path("frontd.sock") + `", "` + rpcAddress + "\"]\n" + strings.Join(lines, "\n") + "\n"
}

// client calls by the Unix socket, so that its own connections are not in the table.
func (w *world) client(t testing.TB) *client { return newClient(t, w.Path("frontd.sock")) }

func (w *world) login(t testing.TB) *session {
	t.Helper()
	return w.client(t).login(t)
}
