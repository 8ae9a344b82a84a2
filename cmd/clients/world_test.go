// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"fmt"
	"os"
	"testing"

	"nuconntrack/cmd/daemontest"
)

const (
	// address is where frontd listens, in a namespace of its own.
	address  = "127.0.0.1:8580"
	user     = "ann"
	password = "correct horse battery"
)

const policy = `
[kill]
allow = true

[change]
allow = true
timeout_min = 10
timeout_max = 432000
`

func TestMain(m *testing.M) {
	os.Exit(daemontest.Main(m, daemontest.Setup{
		Programs: []string{daemontest.Privd, daemontest.Frontd, daemontest.Nuctl},
		Prepare:  func(dir string) (undo func(), err error) { return nil, buildClients(dir) },
	}))
}

// serve starts both daemons in the namespace of this process, until the test ends. Views are
// content with an old table, so that it shows whether refresh works.
func serve(t *testing.T, config string) {
	t.Helper()
	w := daemontest.NewWorld(t)
	w.Write(t, "policy.toml", policy)
	w.StartPrivd(t)
	w.StartFrontd(t, fmt.Sprintf(`listen = [%q]
max_age = "5m"
%s
[auth]
backend = "file"
file = %q
`, address, config, w.SetPassword(t, user, password, "--hash", "bcrypt")))
}
