// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system

package systemd_test

import (
	"net"
	"os"
	"testing"
	"time"
)

// With the shipped drop-in the front daemon reaches a directory; that it reaches nothing
// without is shown by testFences.
func testDirectory(t *testing.T, m *machine) {
	const path = "/etc/nuconntrack/frontd.toml"
	shipped := read(t, m.path(path))
	t.Cleanup(func() { m.write(t, path, shipped) })
	var directory net.Listener
	if err := m.inNetwork(func() (err error) {
		directory, err = net.Listen("tcp", "127.0.0.1:1636")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer directory.Close()
	m.write(t, path, `
[auth]
backend = "ldap"
role    = "viewer"

[auth.ldap]
servers = ["ldaps://127.0.0.1:1636"]
user_dn = "uid={user},dc=example,dc=org"
timeout = "1m"
`)
	lines, err := os.ReadFile("directory.conf")
	if err != nil {
		t.Fatal(err)
	}
	m.dropIn(t, frontd, string(lines))
	m.do(t, "systemctl", "restart", frontd+".service")
	asked := make(chan error, 1)
	go func() {
		conn, err := directory.Accept()
		if err == nil {
			conn.Close() // it is no directory: that it was asked is enough
		}
		asked <- err
	}()
	// Whatever the daemon is told, nobody gets in.
	if err := m.caller(t).login(); faultCode(err) != faultAuthentication {
		t.Errorf("login: %v, want fault %d", err, faultAuthentication)
	}
	select {
	case err := <-asked:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("the directory was not asked")
	}
}
