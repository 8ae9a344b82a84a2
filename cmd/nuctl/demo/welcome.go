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

// trial is a command to try. It can be pasted into a POSIX shell as it is.
type trial struct {
	about, command string
}

// printWelcome says where the daemons are and what to try.
func printWelcome(w io.Writer, p place, address string) error {
	var b strings.Builder
	if p.setting.host {
		fmt.Fprint(&b, "NuConntrack on this machine's own connections. A kill is real; its firewall is not touched.\n\n")
	} else {
		fmt.Fprint(&b, "NuConntrack demo: made-up traffic in a network of its own; this machine's is not touched.\n\n")
	}
	for _, line := range facts(p, address) {
		fmt.Fprintf(&b, "  %-9s %s\n", line[0], line[1])
	}
	fmt.Fprint(&b, "\nTry in another terminal:\n")
	for _, t := range trials(p, address) {
		fmt.Fprintf(&b, "\n  # %s\n  %s\n", t.about, t.command)
	}
	fmt.Fprint(&b, "\nCtrl-C ends it and removes everything.\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print welcome: %w", err)
	}
	return nil
}

// facts are the lines of the welcome that say what is where.
func facts(p place, address string) [][2]string {
	lines := [][2]string{
		{"Address", serverURL(address) + "/"},
		{"Login", user},
		{"Password", p.password},
	}
	if p.setting.host {
		lines = append(lines, [2]string{"Users", fmt.Sprintf("privd runs as %s, with CAP_NET_ADMIN only; frontd as %s, with nothing",
			p.setting.privd, p.setting.frontd)})
	}
	audit := "privd.log"
	if p.setting.audit == "journal" {
		audit = "the journal"
	}
	return append(lines, [2]string{"Files", fmt.Sprintf("%s: policy.toml, privd.log, frontd.log; the audit is in %s", p.dir, audit)})
}

func serverURL(address string) string { return "http://" + dialable(address) }

// environmentText is what a shell has to read for nuctl to find the server.
func environmentText(p place, address string) string {
	return fmt.Sprintf("export NUCTL_SERVER=%s\nexport NUCTL_USER=%s\nexport NUCTL_PASSWORD_FILE=%s\n",
		shellWord(serverURL(address)), shellWord(user), shellWord(p.passwordFile()))
}

// trials keep the password in its file, as all users of a machine can read its command
// lines.
func trials(p place, address string) []trial {
	python := fmt.Sprintf(`import xmlrpc.client as x; s = x.ServerProxy("%s/RPC2"); `+
		`i = s.login("%s", open(%s).readline().strip()); `+
		`f = "orig_src orig_dst orig_port_dst byte_rate".split(); `+
		`[print(*map(c.get, f)) for c in s.view(i, {"proto": "tcp"}, "byte_rate", "DESC", 0, 10, {"fields": f})["table"]]`,
		serverURL(address), user, strconv.QuoteToASCII(p.passwordFile()))
	nuctl := shellWord(ownName())
	settings := ". " + shellWord(p.environment()) + "; "
	list := []trial{
		{"the ten fastest TCP connections, from Python", "python3 -c " + shellWord(python)},
		{"the same with nuctl", settings + nuctl + " list -p tcp --sort byte_rate:desc --limit 10"},
	}
	if p.setting.host {
		return append(list, trial{"kill one, by the ID that the list shows (ssh is refused: the policy protects it)",
			settings + nuctl + " kill ID"})
	}
	return append(list, trial{"kill one to port 443 (with 22 in its place it is refused: the policy protects ssh)",
		fmt.Sprintf(`%s%s kill "$(%s list -p tcp --dport 443 --state established --limit 1 --fields key -H)"`, settings, nuctl, nuctl)})
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
