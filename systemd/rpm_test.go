// SPDX-License-Identifier: GPL-2.0-or-later

//go:build packages

package systemd_test

import (
	"slices"
	"strings"
	"testing"
)

// testRPM installs with rpm into Debian, which has all that the scripts use.
func testRPM(t *testing.T, m *machine, file, upgrade string) {
	before := m.contents(t)
	first, newer := m.within(t, file, "/tmp/first.rpm"), m.within(t, upgrade, "/tmp/newer.rpm")
	rpm := func(args ...string) {
		t.Helper()
		m.do(t, append([]string{"rpm", "--force-debian", "--nodeps"}, args...)...)
	}
	for _, scripts := range []string{file, upgrade} {
		if text := command(t, ".", "rpm", "-qp", "--scripts", scripts); strings.Contains(text, "@") || !strings.Contains(text, frontd+".socket") {
			t.Errorf("the scripts name no units:\n%s", text)
		}
	}
	rpm("--install", first)
	for _, unit := range []string{frontd, privd} {
		if state := m.show(t, unit+".socket", "UnitFileState"); state != "enabled" {
			t.Errorf("the socket of %s is %s", unit, state)
		}
	}
	if _, err := m.tryWith(password+"\n", "nuctl", "passwd", user, "--stdin"); err != nil {
		t.Fatal(err)
	}
	// Who installs it starts it: that is the way there.
	m.do(t, "systemctl", "start", privd+".socket", frontd+".socket")
	testUpgrade(t, m, func() { rpm("--upgrade", newer) })
	rpm("--erase", "nuconntrack")
	for _, unit := range []string{frontd + ".service", frontd + ".socket", privd + ".service", privd + ".socket"} {
		if m.active(t, unit) {
			t.Errorf("%s still runs", unit)
		}
	}
	// RPM knows no purge: the users stay, and what they and the administrator wrote.
	for _, s := range m.contents(t) {
		if strings.HasPrefix(s, removed) {
			continue // an empty folder that others had made, and that is the package's too
		}
		known := strings.Contains(s, "nuconntrack:") || strings.Contains(s, "nuconntrack-privd:") || strings.HasPrefix(s, "/etc/nuconntrack") ||
			strings.HasPrefix(s, "/run/nuconntrack-privd")
		if !known && !slices.Contains(before, s) {
			t.Errorf("left: %s", s)
		}
	}
}
