// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// errAsked means that the inner process ends because it was asked to.
var errAsked = errors.New("asked to end")

// insideCommand is PID 1 of the namespaces, or, for the machine's own table, a process beside
// the outer one.
func insideCommand() *cobra.Command {
	var (
		p    place
		bins daemons
	)
	cmd := &cobra.Command{
		Use:    "inside",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SilenceUsage = true
			// By hand it would remove whatever folder it is given. The descriptor is not
			// touched before it is known to be meant for us.
			if os.Getpid() != 1 && !(p.setting.host && listens(firstDescriptor)) {
				return errors.New("this command is for `nuctl demo` and `nuctl host` only")
			}
			ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer cancel()
			return runInside(ctx, insideConfig{
				place:    p,
				bins:     bins,
				listener: os.NewFile(firstDescriptor, "listener"),
				control:  cmd.InOrStdin(),
				reports:  json.NewEncoder(cmd.OutOrStdout()),
			})
		},
	}
	cmd.Flags().StringVar(&p.dir, "dir", "", "")
	cmd.Flags().BoolVar(&p.setting.host, "host", false, "")
	cmd.Flags().StringVar(&p.setting.privd, "privd-user", "", "")
	cmd.Flags().StringVar(&p.setting.peer, "peer-user", "", "")
	cmd.Flags().StringVar(&p.setting.audit, "audit", "", "")
	cmd.Flags().StringVar(&bins.privd, "privd", "", "")
	cmd.Flags().StringVar(&bins.frontd, "frontd", "", "")
	return cmd
}

// insideConfig is what the inner process was given by the outer one.
type insideConfig struct {
	place    place
	bins     daemons
	listener *os.File
	control  io.Reader // its end is the order to end
	reports  *json.Encoder
}

// runInside sets the namespace up, starts everything and waits for the end. What goes
// wrong is reported to the outer process, which tells the user.
func runInside(ctx context.Context, cfg insideConfig) error {
	// Only frontd is to inherit the listener.
	syscall.CloseOnExec(firstDescriptor)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // ends with the process
		io.Copy(io.Discard, cfg.control) // whatever it ends with, it is the end
		cancel(errAsked)
	}()

	forbidden, err := work(ctx, cfg)
	// First the folder, then the report: nobody may be there to read it.
	err = errors.Join(err, cfg.place.remove())
	switch {
	case err == nil:
		return nil
	case forbidden:
		return cfg.reports.Encode(report{reportForbidden, err.Error()})
	}
	return cfg.reports.Encode(report{reportFailed, err.Error()})
}

// work is everything between the first and the last step of the inner process.
func work(ctx context.Context, cfg insideConfig) (forbidden bool, err error) {
	if cfg.place.setting.host {
		return false, serveHost(ctx, cfg)
	}
	ipv6, err := prepare(cfg.reports)
	if err != nil {
		// The owner of a namespace may do all of it. Where a security module gives out
		// namespaces without rights in them, this is how it shows.
		return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES), err
	}
	return false, serve(ctx, cfg, ipv6)
}

// serveHost is serve without any traffic.
func serveHost(ctx context.Context, cfg insideConfig) error {
	g, ctx := errgroup.WithContext(ctx)
	startDaemons(ctx, g, cfg)
	return g.Wait()
}

// prepare makes the network of the namespace, its rules and its settings.
func prepare(reports *json.Encoder) (ipv6 bool, err error) {
	if err := hideJournal(); err != nil {
		return false, err
	}
	mountProc()
	ipv6, notes, err := setUpNetwork()
	if err != nil {
		return false, err
	}
	if err := addRules(); err != nil {
		return false, err
	}
	for _, note := range append(notes, setTracking(trackingFolder)...) {
		if err := reports.Encode(report{reportNote, note}); err != nil {
			return false, fmt.Errorf("report: %w", err)
		}
	}
	return ipv6, nil
}

// serve runs traffic and daemons until the context ends or one of them fails.
func serve(ctx context.Context, cfg insideConfig, ipv6 bool) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return runTraffic(ctx, ipv6) })
	startDaemons(ctx, g, cfg)
	return g.Wait()
}

// startDaemons runs privd and, once that listens, frontd as tasks of the group.
func startDaemons(ctx context.Context, g *errgroup.Group, cfg insideConfig) {
	g.Go(func() error {
		return runDaemon(ctx, privdName, privdCommand(cfg.bins, cfg.place), cfg.place.log("privd"))
	})
	g.Go(func() error {
		if !waitSocket(ctx, cfg.place.socket()) {
			return nil
		}
		if err := cfg.reports.Encode(report{Kind: reportReady}); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		return runDaemon(ctx, frontdName, frontdCommand(cfg.bins, cfg.place, cfg.listener), cfg.place.log("frontd"))
	})
}

// mountProc makes /proc show the processes of the namespace under the numbers that they know each
// other by. Daemons that were built with cgo look for themselves there; others do without, so
// that a container which forbids it is no obstacle.
func mountProc() {
	_ = syscall.Mount("demo", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "")
}

// hideJournal covers the folder of the journal's socket, where there is one: the audit of a
// kill in the demo must not stand in this machine's journal as if it were of its firewall. Without
// a journal privd writes it to standard error, so to the log in the demo's folder.
func hideJournal() error {
	const folder = "/run/systemd/journal"
	if _, err := os.Stat(folder); err != nil {
		return nil
	}
	if err := syscall.Mount("demo", folder, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "size=4k"); err != nil {
		return fmt.Errorf("cover %s: %w", folder, err)
	}
	return nil
}
