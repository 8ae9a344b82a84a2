// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"nuconntrack/cmd/logging"
	"nuconntrack/cmd/privilege"
	"nuconntrack/privd"
)

const (
	defaultPolicy = "/etc/nuconntrack/policy.toml"
	defaultSocket = "/run/nuconntrack-privd/privd.sock"
	defaultPeer   = "nuconntrack"
)

// options are the command line.
type options struct {
	policy, socket string
	peerUser       string
	user           string // empty: where possible program's name, else privilege.Self
	audit          string
	idleExit       time.Duration
	logFormat      string
	logLevel       slog.Level
	checkConfig    bool
	done           bool // nothing is left to do
}

// parse reads the command line, and answers --help and --version by itself.
func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	var showVersion bool
	var level string
	f := flag.NewFlagSet(program, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.policy, "policy", defaultPolicy, "read the policy from `FILE`")
	f.StringVar(&o.socket, "socket", defaultSocket, "listen on `PATH` when systemd passed no socket")
	f.StringVar(&o.peerUser, "peer-user", "", "serve this user and nobody else, `NAME|UID` (default "+defaultPeer+")")
	f.StringVar(&o.user, "user", "", "become this user when started as root, `NAME|UID|self`; self only drops "+
		"capabilities (default "+program+"; self where only one user is mapped)")
	f.StringVar(&o.audit, "audit", auditAuto, "write the audit to `WHERE`: auto, journal or stderr")
	f.DurationVar(&o.idleExit, "idle-exit", 0, "leave when nobody was connected for this `DURATION`; 0: never")
	f.StringVar(&o.logFormat, "log-format", string(logging.Text), "write the log as `FORMAT`: text or json")
	f.StringVar(&level, "log-level", "info", "log from this `LEVEL` on: debug, info, warn or error")
	f.BoolVar(&o.checkConfig, "check-config", false, "print the policy as understood, and leave")
	f.BoolVar(&showVersion, "version", false, "print the version, and leave")
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err := io.WriteString(stdout, usage(f))
		return options{done: true}, err
	case err != nil:
		return o, configError{fmt.Errorf("%w (--help lists all flags)", err)}
	case f.NArg() > 0:
		return o, configError{fmt.Errorf("unexpected argument %q (--help lists all flags)", f.Arg(0))}
	case showVersion:
		_, err := fmt.Fprintf(stdout, "%s %s\n", program, version())
		return options{done: true}, err
	case o.idleExit < 0:
		return o, configError{fmt.Errorf("--idle-exit %s is negative", o.idleExit)}
	case o.audit != auditAuto && o.audit != auditJournal && o.audit != auditStderr:
		return o, configError{fmt.Errorf("--audit %q is none of auto, journal, stderr", o.audit)}
	}
	if !slices.Contains(logging.Formats(), o.logFormat) {
		return o, configError{fmt.Errorf("--log-format %q is neither text nor json", o.logFormat)}
	}
	if o.logLevel, err = logging.ParseLevel(level); err != nil {
		return o, configError{fmt.Errorf("--log-level: %w", err)}
	}
	return o, nil
}

// usage lists the flags as the documentation writes them.
func usage(f *flag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [flags]\n\nThe helper of NuConntrack, which holds CAP_NET_ADMIN.\n\n", program)
	f.VisitAll(func(g *flag.Flag) {
		kind, text := flag.UnquoteUsage(g)
		line := strings.TrimRight("--"+g.Name+" "+kind, " ")
		if g.DefValue != "" && g.DefValue != "false" && g.DefValue != "0s" {
			text += " (default " + g.DefValue + ")"
		}
		fmt.Fprintf(&b, "  %s\n      %s\n", line, text)
	})
	fmt.Fprintf(&b, "\nSIGHUP reads the policy again; a bad file leaves the old rules.\n")
	return b.String()
}

// lookUpPeer finds the user to serve.
func lookUpPeer(name string) (privilege.Account, error) {
	given := name != ""
	if !given {
		name = defaultPeer
	}
	peer, err := privilege.Lookup(name)
	if err != nil && !given {
		return peer, fmt.Errorf("%w; create the user that the front daemon runs as, or name another with --peer-user", err)
	}
	if err != nil {
		return peer, err
	}
	overflow, err := privd.OverflowUID()
	if err != nil {
		return peer, err
	}
	if peer.UID == overflow {
		return peer, fmt.Errorf("--peer-user %q has uid %d, which stands for every user who is unknown here: it is never served",
			name, overflow)
	}
	return peer, nil
}

// lookUpUser finds the user to become. Its name is privilege.Self where that is nobody
// else.
func lookUpUser(name string) (privilege.Account, error) {
	given := name != ""
	if !given {
		name = privilege.DefaultUser(program)
	}
	if name == privilege.Self {
		return privilege.Account{Name: privilege.Self, UID: uint32(os.Getuid())}, nil
	}
	user, err := privilege.Lookup(name)
	if err != nil && !given {
		err = fmt.Errorf("%w; create it, or name the user to become with --user", err)
	}
	return user, err
}
