// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// printWelcome says where the demo is and what to try. Each of the three commands can be
// pasted into a shell as it is.
func printWelcome(w io.Writer, p place, address string) error {
	server := "http://" + dialable(address)
	_, err := fmt.Fprintf(w, `NuConntrack demo: made-up traffic in a network of its own; this machine's is not touched.

  Address   %s/
  Login     %s
  Password  %s
  Logs      %s (with the audit), %s

Try in another terminal: the fastest TCP connections from Python, the same with nuctl, and
a kill (with --dport 22 it is refused: the policy protects ssh).

`, server, user, p.password, p.log("privd"), p.log("frontd"))
	if err != nil {
		return fmt.Errorf("print welcome: %w", err)
	}
	for _, command := range commandsToTry(p, server) {
		if _, err := fmt.Fprintf(w, "  %s\n\n", command); err != nil {
			return fmt.Errorf("print welcome: %w", err)
		}
	}
	if _, err := fmt.Fprintln(w, "Ctrl-C ends the demo and removes everything."); err != nil {
		return fmt.Errorf("print welcome: %w", err)
	}
	return nil
}

// commandsToTry are lines for a POSIX shell. The password stays in its file, as all
// users of a machine can read its command lines.
func commandsToTry(p place, server string) []string {
	python := fmt.Sprintf(`import xmlrpc.client as x; s = x.ServerProxy("%s/RPC2"); i = s.login("%s", open(%s).readline().strip()); `+
		`[print(c["key"], c.get("byte_rate")) for c in s.view(i, {"proto": "tcp"}, "byte_rate", "DESC", 0, 10)["table"]]`,
		server, user, strconv.QuoteToASCII(p.passwordFile()))
	settings := fmt.Sprintf("export NUCTL_SERVER=%s NUCTL_USER=%s NUCTL_PASSWORD_FILE=%s",
		shellWord(server), user, shellWord(p.passwordFile()))
	nuctl := shellWord(ownName())
	return []string{
		"python3 -c " + shellWord(python),
		fmt.Sprintf("%s; %s list -p tcp --sort byte_rate:desc --limit 10", settings, nuctl),
		fmt.Sprintf(`%s; %s kill "$(%s list --dport 443 --state established --limit 1 --fields key -H)"`, settings, nuctl, nuctl),
	}
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
