// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nuconntrack/frontd/listen"
)

// defaultListen is where the units listen too (API.md, "Names under systemd").
const defaultListen = "127.0.0.1:8580"

// config is what the user asks for.
type config struct {
	// host is for this machine's own table instead of the demo.
	host bool
	// listen is the TCP address outside the namespace. A port that is taken is replaced by a free one.
	listen string
	// binDir holds the two daemons. Empty: beside nuctl, else in PATH.
	binDir string
	// dir is the folder to make. Empty: a new one, below hostParent or in the system's place
	// for temporary files.
	dir string
	// runFor ends the demo after this time. 0: never.
	runFor time.Duration

	stdout, stderr io.Writer
}

// usageError is a mistake on the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// ExitCode is the program's exit status for such a mistake (API.md, "Programs").
func (e *usageError) ExitCode() int { return 2 }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// Command returns `nuctl demo`. Two hidden commands below it are how the demo starts itself
// again in the namespace.
func Command() *cobra.Command {
	var cfg config
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "try NuConntrack on made-up traffic, without root",
		Long: `Start both daemons and some traffic in a network namespace of their own, print how to
log in, and wait for Ctrl-C. Needs no root, touches neither this machine's connections nor
its firewall, and leaves nothing behind.`,
		Args: noArguments,
		RunE: cfg.runE,
	}
	cfg.flags(cmd.Flags())
	cmd.AddCommand(insideCommand(), handOverCommand())
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	return nil
}

func (cfg *config) flags(f *pflag.FlagSet) {
	f.StringVar(&cfg.listen, "listen", defaultListen, "loopback `ADDRESS` to serve on; if the port is taken, a free one is used")
	f.DurationVar(&cfg.runFor, "for", 0, "end after this `DURATION` (0: at Ctrl-C)")
	f.StringVar(&cfg.dir, "dir", "", "`FOLDER` to make, use and remove; must not exist (default: a new temporary one)")
	f.StringVar(&cfg.binDir, "bin-dir", "", "`FOLDER` of the daemons (default: beside nuctl, else PATH)")
}

func (cfg *config) runE(cmd *cobra.Command, _ []string) error {
	cmd.SilenceUsage = true
	// SIGHUP is what closing the terminal sends.
	ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	cfg.stdout, cfg.stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
	return run(ctx, *cfg)
}

// run is the outer process, from the first file to the last.
func run(ctx context.Context, cfg config) (err error) {
	if cfg.runFor < 0 {
		return usagef("--for %v: must not be negative", cfg.runFor)
	}
	setting := demoSetting()
	if cfg.host {
		if setting, err = hostSetting(); err != nil {
			return err
		}
	}
	bins, err := findDaemons(cfg.binDir)
	if err != nil {
		return err
	}
	listener, taken, err := openListener(cfg.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if !listen.Local(listener.Addr()) {
		return usagef("--listen %s: others than this machine could reach it, and read the password on its way", cfg.listen)
	}
	if taken {
		fmt.Fprintf(cfg.stderr, "%s is taken; using %s instead.\n", cfg.listen, listener.Addr())
	}
	place, err := makePlace(cfg.dir, listener.Addr().String(), setting)
	if err != nil {
		return err
	}
	inside, err := startInside(bins, place, listener, cfg.stderr)
	if err != nil {
		return errors.Join(err, place.remove())
	}
	defer func() { err = errors.Join(err, inside.stop(place)) }()

	if err := inside.waitReady(ctx, cfg.stderr); err != nil {
		return endedBy(ctx, err)
	}
	if err := inside.waitAnswer(ctx, listener.Addr().String()); err != nil {
		return endedBy(ctx, err)
	}
	if cfg.host && nothingTracked(trackingFolder) {
		fmt.Fprintln(cfg.stderr, "Note: the kernel tracks no connection here, so lists stay empty; "+
			"it starts when a firewall rule needs it (nft: ct; iptables: -m conntrack; any NAT).")
	}
	if err := printWelcome(cfg.stdout, place, listener.Addr().String()); err != nil {
		return err
	}
	if cfg.runFor > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.runFor)
		defer cancel()
	}
	return endedBy(ctx, inside.wait(ctx))
}

// endedBy is nil where the user's wish to end explains the error.
func endedBy(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// handOverCommand is the step between the inner process and frontd.
func handOverCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "hand-over FRONTD [ARGUMENT…]",
		Hidden:             true,
		DisableFlagParsing: true,
		Args:               cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.SilenceUsage = true
			return handOver(args, os.Environ())
		},
	}
}
