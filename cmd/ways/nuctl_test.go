// SPDX-License-Identifier: GPL-2.0-or-later

package ways

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var whoamiLines = regexp.MustCompile(`(?m)^user +(\S+)\nrole +(\S+)$`)

// nuctl asks who it is: "user role", or what nuctl wrote.
func nuctl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(binDir, "nuctl"), append([]string{"whoami"}, args...)...)
	cmd.Env = []string{"HOME=/nonexistent", "PATH=/usr/bin:/bin"}
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if m := whoamiLines.FindSubmatch(out); err == nil && m != nil {
		return string(m[1]) + " " + string(m[2])
	}
	return fmt.Sprintf("exit code %d: %s", cmd.ProcessState.ExitCode(), out)
}

func wantNuctl(t *testing.T, name, want string, args ...string) {
	t.Helper()
	if got := nuctl(t, args...); got != want && (want == "" || !strings.Contains(got, want)) {
		t.Errorf("nuctl, %s: %s, want %q", name, got, want)
	}
}

func TestNuctlWithPasswords(t *testing.T) {
	p, port := newPlace(t), freePort(t)
	d := p.frontd(t, fmt.Sprintf("listen = [\"127.0.0.1:%d\", \"unix:%s\"]\n[auth]\nbackend = \"file\"\nfile = %q\n[auth.local.users]\n%d = \"viewer\"\n",
		port, p.path("s"), p.passwd(t, "right horse", "ann"), os.Getuid()))
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	right, wrong := p.write(t, "right", "right horse\n", 0o600), p.write(t, "wrong", "wrong horse\n", 0o600)
	wantNuctl(t, "with a password", "ann admin", "--server", url, "--user", "ann", "--password-file", right)
	wantNuctl(t, "with a command", "ann admin", "--server", url, "--user", "ann", "--password-command", "cat "+right)
	wantNuctl(t, "over the socket", "ann admin", "--server", p.path("s"), "--user", "ann", "--password-file", right)
	wantNuctl(t, "as a user of the machine", " viewer", "--server", "unix:"+p.path("s"))
	wantNuctl(t, "as nobody", "exit code 4", "--server", url)
	wantNuctl(t, "with another password", "exit code 4", "--server", url, "--user", "ann", "--password-file", wrong)
	if strings.Contains(d.out.String(), "right horse") {
		t.Error("the password stands in the log")
	}
}

func TestNuctlWithCertificates(t *testing.T) {
	a, p, port := newAuthority(t), newPlace(t), freePort(t)
	a.server(t, p, "server")
	p.write(t, "ca.pem", a.pem, 0o644)
	p.frontd(t, fmt.Sprintf("listen = [\"127.0.0.1:%d\"]\n[tls]\ncert = %q\nkey = %q\nclient_ca = %q\n[auth]\nbackend = \"tls\"\n[auth.tls]\nsan = [\"email\"]\n[auth.roles]\n\"ann@example.org\" = \"operator\"\n",
		port, p.path("cert.pem"), p.path("key.pem"), p.path("ca.pem")))
	url := fmt.Sprintf("https://localhost:%d", port)
	issue := func(name string, emails ...string) []string {
		c := certificate(name)
		c.EmailAddresses = emails
		cert, key := a.issue(t, c)
		return []string{"--server", url, "--ca-file", p.path("ca.pem"), "--cert-file", p.write(t, name+".crt", cert, 0o644), "--key-file", p.write(t, name+".key", key, 0o600)}
	}
	wantNuctl(t, "with a certificate", "ann@example.org operator", issue("ann", "ann@example.org")...)
	wantNuctl(t, "with one of nobody's", "exit code 4", issue("none")...)
	wantNuctl(t, "with one of a user without a role", "exit code 4", issue("bob", "bob@example.org")...)
	wantNuctl(t, "without one", "the server wants a client certificate", "--server", url, "--ca-file", p.path("ca.pem"))
	wantNuctl(t, "without the authority", "--ca-file", "--server", url)
}
