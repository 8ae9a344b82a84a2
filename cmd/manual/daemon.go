// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"nuconntrack/cmd/manual/roff"
)

// askTimeout bounds what a program may take to print its help.
const askTimeout = 30 * time.Second

// daemon is what a program says of itself.
type daemon struct {
	version string
	about   string // what it is
	flags   []daemonFlag
	after   string // what is said behind the flags
}

type daemonFlag struct{ name, value, text string }

// askProgram runs a program with --version and --help.
func askProgram(path string) (daemon, error) {
	version, err := say(path, "--version")
	if err != nil {
		return daemon{}, err
	}
	help, err := say(path, "--help")
	if err != nil {
		return daemon{}, err
	}
	d, err := parseHelp(help)
	if err != nil {
		return d, fmt.Errorf("read help of %s: %w", path, err)
	}
	_, d.version, _ = strings.Cut(strings.TrimSpace(version), " ")
	return d, nil
}

func say(path, flag string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, flag)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s %s: %w %s", path, flag, err, errs.String())
	}
	return string(out), nil
}

// parseHelp reads what the daemons print for --help: a line of usage, what the program is, each
// flag with its text in an indented line below, and what else there is to say.
func parseHelp(help string) (d daemon, err error) {
	parts := strings.Split(strings.TrimSpace(help), "\n\n")
	for i, part := range parts {
		switch {
		case i == 0 && !strings.HasPrefix(part, "Usage: "):
			return d, fmt.Errorf("it begins with %q", part)
		case i == 0:
		case strings.HasPrefix(part, "  -"):
			for line := range strings.SplitSeq(part, "\n") {
				if name, ok := strings.CutPrefix(line, "  --"); ok {
					name, value, _ := strings.Cut(name, " ")
					d.flags = append(d.flags, daemonFlag{name: "--" + name, value: value})
				} else if last := len(d.flags) - 1; last >= 0 {
					d.flags[last].text = strings.TrimSpace(d.flags[last].text + " " + strings.TrimSpace(line))
				}
			}
		case len(d.flags) == 0:
			d.about = join(d.about, part)
		default:
			d.after = join(d.after, part)
		}
	}
	if len(d.flags) == 0 || d.about == "" {
		return d, fmt.Errorf("it has %d flags and says %q", len(d.flags), d.about)
	}
	return d, nil
}

func join(text, more string) string { return strings.TrimPrefix(text+"\n\n"+more, "\n\n") }

// The names of the pages that the others refer to.
const (
	pageAPI         = "nuconntrack-api"
	pageExpressions = "nuconntrack-expressions"
	pageFrontd      = "nuconntrack-frontd"
	pagePrivd       = "nuconntrack-privd"
	pageConfig      = "nuconntrack-frontd.toml"
	pagePolicy      = "nuconntrack-policy.toml"
)

func (b *book) daemons(frontd, privd daemon) {
	p := b.daemon(pageFrontd, frontd, "serve the connection table of a firewall over XML-RPC",
		`The daemon listens where its configuration or systemd says, logs users in, and shows them the
connections that the kernel tracks. It has no privilege: it asks nuconntrack-privd(8) for the table, and for
what is to be killed or changed. Started as root, it becomes another user before it reads anything from
the network.

Under systemd, nuconntrack-frontd.socket holds the port and starts the daemon when somebody calls.`)
	files(p, "/etc/nuconntrack/frontd.toml", "/etc/nuconntrack/passwd")
	p.See(roff.Reference{Name: pageConfig, Section: 5}, roff.Reference{Name: pageAPI, Section: 7}, roff.Reference{Name: pagePrivd, Section: 8},
		roff.Reference{Name: "nuctl", Section: 1})
	p = b.daemon(pagePrivd, privd, "read and alter the connection table, within a policy",
		`The helper is the one process that holds CAP_NET_ADMIN, and holds nothing else. It serves one user over
a Unix socket: nuconntrack-frontd(8). It can read the table and the kernel's statistics, delete one entry, and
set one entry's mark or timeout. Its policy decides which, whoever asks, and the audit, which goes to the journal,
has an entry before each attempt and one after it.

Under systemd, nuconntrack-privd.socket starts the helper when it is needed.`)
	files(p, "/etc/nuconntrack/policy.toml", "/run/nuconntrack-privd/privd.sock")
	p.See(roff.Reference{Name: pagePolicy, Section: 5}, roff.Reference{Name: pageFrontd, Section: 8}, roff.Reference{Name: "journalctl", Section: 1})
}

func (b *book) daemon(name string, d daemon, summary, text string) *roff.Page {
	p := b.page(name, 8, summary)
	p.Heading("SYNOPSIS")
	p.Synopsis(name, "[flags]")
	p.Heading("DESCRIPTION")
	p.Text(join(d.about, text))
	p.Heading("OPTIONS")
	for _, f := range d.flags {
		p.Item(f.text, roff.Tag{Bold: f.name, Rest: f.value})
	}
	if d.after != "" {
		p.Heading("NOTES")
		p.Text(d.after)
	}
	p.Heading("EXIT STATUS")
	exits(p)
	return p
}

// exits are those that all programs have.
func exits(p *roff.Page) {
	p.Item("done", roff.Tag{Bold: "0"})
	p.Item("failed", roff.Tag{Bold: "1"})
	p.Item("usage or configuration error", roff.Tag{Bold: "2"})
}

func files(p *roff.Page, paths ...string) {
	p.Heading("FILES")
	for i, path := range paths {
		if i > 0 {
			path = "\n" + path
		}
		p.Text(path)
	}
}
