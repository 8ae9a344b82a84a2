// SPDX-License-Identifier: GPL-2.0-or-later

package ways

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
)

var whoamiLines = regexp.MustCompile(`(?m)^user +(\S+)\nrole +(\S+)$`)

// nuctl asks who it is: "user role", or what nuctl wrote.
func nuctl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := daemontest.Command(daemontest.Nuctl, append([]string{"whoami"}, args...)...)
	cmd.Env = append(cmd.Env, "HOME=/nonexistent")
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
		port, p.Path("s"), p.passwd(t, "right horse", "ann"), os.Getuid()))
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	right, wrong := p.Write(t, "right", "right horse\n"), p.Write(t, "wrong", "wrong horse\n")
	wantNuctl(t, "with a password", "ann admin", "--server", url, "--user", "ann", "--password-file", right)
	wantNuctl(t, "with a command", "ann admin", "--server", url, "--user", "ann", "--password-command", "cat "+right)
	wantNuctl(t, "over the socket", "ann admin", "--server", p.Path("s"), "--user", "ann", "--password-file", right)
	wantNuctl(t, "as a user of the machine", " viewer", "--server", "unix:"+p.Path("s"))
	wantNuctl(t, "as nobody", "exit code 4", "--server", url)
	wantNuctl(t, "with another password", "exit code 4", "--server", url, "--user", "ann", "--password-file", wrong)
	if strings.Contains(d.Out.String(), "right horse") {
		t.Error("the password stands in the log")
	}
}

func TestNuctlWithCertificates(t *testing.T) {
	a, p, port := newAuthority(t), newPlace(t), freePort(t)
	a.server(t, p, "server")
	p.show(t, "ca.pem", a.pem)
	p.frontd(t, fmt.Sprintf("listen = [\"127.0.0.1:%d\"]\n[tls]\ncert = %q\nkey = %q\nclient_ca = %q\n[auth]\nbackend = \"tls\"\n[auth.tls]\nsan = [\"email\"]\n[auth.roles]\n\"ann@example.org\" = \"operator\"\n",
		port, p.Path("cert.pem"), p.Path("key.pem"), p.Path("ca.pem")))
	url := fmt.Sprintf("https://localhost:%d", port)
	issue := func(name string, emails ...string) []string {
		c := certificate(name)
		c.EmailAddresses = emails
		cert, key := a.issue(t, c)
		return []string{"--server", url, "--ca-file", p.Path("ca.pem"), "--cert-file", p.show(t, name+".crt", cert), "--key-file", p.Write(t, name+".key", key)}
	}
	wantNuctl(t, "with a certificate", "ann@example.org operator", issue("ann", "ann@example.org")...)
	wantNuctl(t, "with one of nobody's", "exit code 4", issue("none")...)
	wantNuctl(t, "with one of a user without a role", "exit code 4", issue("bob", "bob@example.org")...)
	wantNuctl(t, "without one", "the server wants a client certificate", "--server", url, "--ca-file", p.Path("ca.pem"))
	wantNuctl(t, "without the authority", "--ca-file", "--server", url)
}
