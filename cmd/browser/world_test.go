// SPDX-License-Identifier: GPL-2.0-or-later

//go:build browser

package browser

import (
	"fmt"
	"os"
	"testing"

	"nuconntrack/cmd/daemontest"
)

const (
	password = "correct horse battery"
	// hostile is a user's name that is markup.
	hostile = `<img src=x onerror=alert(1)> "'&`
)

const policy = `
[kill]
allow = true

[change]
allow = true
timeout_min = 10
timeout_max = 432000

[[protect]]
name = "name-servers"
addresses = ["203.0.113.53"]
`

// TestMain builds the programs once, for this process and those that it starts.
func TestMain(m *testing.M) {
	os.Exit(daemontest.Main(m, daemontest.Setup{
		Programs: []string{daemontest.Privd, daemontest.Frontd, daemontest.Nuctl},
	}))
}

// serve starts both daemons in the namespace of this process, until the test ends: ann is an
// admin, vic a viewer, tom has a scope, and the user of the connection with mark 7 has a name that
// is markup.
func serve(t *testing.T, w *daemontest.World, config string) {
	t.Helper()
	w.Write(t, "policy.toml", policy)
	users := w.Write(t, "users", "7,<b>mallory</b><script>alert(2)</script>\n")
	var passwd string
	for _, user := range []string{"ann", "vic", "tom", hostile} {
		passwd = w.SetPassword(t, user, password, "--hash", "bcrypt")
	}
	w.StartPrivd(t)
	w.StartFrontd(t, fmt.Sprintf(`uid_mask = "0xff"
users_file = %q
max_age = "50ms"
%s
[auth]
backend = "file"
file = %q
[auth.roles]
vic = "viewer"
tom = "tenant"
[roles.tenant]
base = "operator"
networks = ["192.0.2.16/28"]
`, users, config, passwd))
}
