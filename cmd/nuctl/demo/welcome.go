// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// printWelcome says where the demo is and what to try. The three commands can be pasted as they are.
func printWelcome(w io.Writer, p place, address string) error {
	server := "http://" + dialable(address)
	nuctl := fmt.Sprintf("%s --server %s --user %s --password-file %s",
		shellWord(ownName()), server, user, shellWord(p.passwordFile()))
	python := fmt.Sprintf(`import xmlrpc.client as x; s = x.ServerProxy(%q); i = s.login(%q, %q); `+
		`[print(c["byte_rate"], c["key"]) for c in s.view(i, {"proto": "tcp"}, "byte_rate", "DESC", 0, 10)["table"] if "byte_rate" in c]`,
		server+"/RPC2", user, p.password)
	_, err := fmt.Fprintf(w, `NuConntrack demo: made-up traffic in a network of its own; this machine's is not touched.

  Address   %s
  Login     %s
  Password  %s
  Logs      %s (with the audit), %s

Try, in another terminal:

  python3 -c %s

  %s list

  %s kill ID     with the id of a row of the list

Connections to port 22 are protected by the policy: killing one is refused (fault 6).
Ctrl-C ends the demo and removes everything.
`, server+"/", user, p.password, p.log("privd"), p.log("frontd"), shellWord(python), nuctl, nuctl)
	if err != nil {
		return fmt.Errorf("print welcome: %w", err)
	}
	return nil
}

// ownName is how this program is called: by its name, if the shell would find this very file.
func ownName() string {
	self, err := os.Executable()
	if err != nil {
		return "nuctl"
	}
	found, err := exec.LookPath("nuctl")
	if err != nil {
		return self
	}
	a, errA := os.Stat(self)
	b, errB := os.Stat(found)
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return "nuctl"
	}
	return self
}

// shellWord quotes a text for a POSIX shell, where it needs to be.
func shellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:@%,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
