// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system

package systemd_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

const metricsPort = "127.0.0.1:9580"

// testMetrics enables the socket for metrics as its file says, and scrapes.
func testMetrics(t *testing.T, m *machine) {
	const socket = frontd + "-metrics.socket"
	if state := m.show(t, socket, "UnitFileState"); state != "disabled" {
		t.Errorf("as it is shipped %s is %s", socket, state)
	}
	m.do(t, "systemctl", "stop", frontd+".service")
	m.do(t, "systemctl", "enable", "--now", socket)
	t.Cleanup(func() {
		for _, args := range [][]string{{"disable", "--now", socket}, {"stop", frontd + ".service"}} {
			if _, err := m.try(append([]string{"systemctl"}, args...)...); err != nil {
				t.Error(err)
			}
		}
	})
	m.login(t).view(t, nil)
	client := http.Client{Transport: &http.Transport{DialContext: m.dial, DisableKeepAlives: true}, Timeout: patience}
	for path, want := range map[string]string{
		"/metrics": `nuconntrack_logins_total{result="ok"} 1`, "/healthz": "alive", "/readyz": "ready",
	} {
		r, err := client.Get("http://" + metricsPort + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v, no %q in\n%s", path, r.Status, err, want, body)
		}
		if path == "/metrics" && !strings.Contains(string(body), "process_resident_memory_bytes") {
			t.Error("nothing about the process within the sandbox")
		}
	}
	// The port for calls is another one.
	if r, err := client.Get("http://" + port + "/metrics"); err == nil {
		r.Body.Close()
		if r.StatusCode == http.StatusOK {
			t.Error("metrics on the port for calls")
		}
	}
}

var requestID = regexp.MustCompile(`request=([0-9a-f]{16})`)

// testLogs: the journal knows levels, and one request's id finds lines of both daemons.
func testLogs(t *testing.T, m *machine) {
	c := m.login(t)
	target := made{source + "3:1001", "198.51.100.3:80"}
	m.create(t, target)
	if err := c.call("kill", nil, []any{c.view(t, map[string]any{"orig_src": source + "3"})[0].Key}); err != nil {
		t.Fatal(err)
	}
	if err := m.caller(t).try("login", nil, user, "not the password"); faultCode(err) != faultAuthentication {
		t.Fatalf("login: %v", err)
	}
	journal := func(args ...string) string {
		m.do(t, "journalctl", "--sync")
		return m.do(t, append([]string{"journalctl", "--no-pager", "--output=cat", "--unit=" + frontd, "--unit=" + privd}, args...)...)
	}
	var kill string
	wait(t, "the line of the kill", func() bool {
		kill = journal("--grep=^msg=kill ")
		return requestID.MatchString(kill)
	})
	all := requestID.FindAllStringSubmatch(kill, -1)
	found := journal("--grep=" + all[len(all)-1][1])
	for _, want := range []string{"msg=kill", "kill asked:", "kill: killed:"} {
		if !strings.Contains(found, want) {
			t.Errorf("no %q by the request's id:\n%s", want, found)
		}
	}
	var warnings string
	wait(t, "the line of the login", func() bool {
		warnings = journal("--priority=warning")
		return strings.Contains(warnings, `msg="login failed"`)
	})
	if strings.Contains(warnings, "msg=login ") || strings.Contains(warnings, "level=") {
		t.Errorf("warnings are:\n%s", warnings)
	}
	for _, secret := range []string{password, "not the password", c.session} {
		if strings.Contains(journal(), secret) {
			t.Errorf("the journal has %q", secret)
		}
	}
}
