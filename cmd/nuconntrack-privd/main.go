// SPDX-License-Identifier: GPL-2.0-or-later

// Nuconntrack-privd is the helper of NuConntrack, the one process that holds
// CAP_NET_ADMIN: it reads, kills and changes connections for the front daemon, within
// what its policy file allows. This package only starts it: it makes or takes over the
// socket, gives up all other privileges, and only then reads the policy and opens the
// kernel. It must never read anything of a peer with more than that capability. Its
// input is the command line, systemd's environment, and signals; package privd has
// the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"nuconntrack/cmd/logging"
	"nuconntrack/cmd/privilege"
	"nuconntrack/cmd/sdnotify"
	"nuconntrack/policy"
	"nuconntrack/privd"
	"nuconntrack/privd/sandbox"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

const program = "nuconntrack-privd"

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // usage or configuration
)

// A configError ends the program with exitUsage.
type configError struct{ err error }

func (e configError) Error() string { return e.err.Error() }
func (e configError) Unwrap() error { return e.err }

func main() {
	// A standard error that nobody reads is an error to see, not a reason to die: without
	// an audit nothing is done.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	out := newErrorOutput(stderr)
	o, err := parse(args, stdout)
	if err == nil && !o.done {
		err = start(ctx, o, stdout, out)
	}
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n", program, err)
		if !o.checkConfig {
			sdnotify.HoldBack(ctx)
		}
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var config configError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &config):
		return exitUsage
	}
	return exitFailed
}

// start does what the options ask for.
func start(ctx context.Context, o options, stdout io.Writer, stderr *errorOutput) error {
	startedAs := uint32(os.Getuid())
	if o.checkConfig {
		// The user that is served unless another is named may be one of another machine.
		if o.peerUser != "" {
			if _, err := lookUpPeer(o.peerUser); err != nil {
				return configError{err}
			}
		}
		rules, found, err := privd.LoadPolicy(o.policy, startedAs)
		if err != nil {
			return configError{err}
		}
		if !found {
			fmt.Fprintf(stdout, "# %s: no such file\n", o.policy)
		}
		_, err = io.WriteString(stdout, rules.String())
		return err
	}
	log, flush := logging.New(logging.Config{
		Out: stderr.hurried(), Format: logging.Format(o.logFormat), Level: o.logLevel, Journal: stderr.underJournal(),
	})
	defer flush()
	return serve(ctx, o, startedAs, log, stderr)
}

// serve becomes the helper and serves until ctx ends.
func serve(ctx context.Context, o options, startedAs uint32, log *slog.Logger, stderr *errorOutput) error {
	peer, err := lookUpPeer(o.peerUser)
	if err != nil {
		return configError{err}
	}
	user, err := lookUpUser(o.user)
	if err != nil {
		return configError{err}
	}
	// Sockets of systemd first, while their descriptors have the numbers it says.
	listener, err := openListener(o.socket, user, peer)
	if err != nil {
		return err
	}
	defer listener.Close()
	notify, err := sdnotify.Open(log)
	if err != nil {
		return err
	}
	defer notify.Close()
	if err := privilege.Become(privilege.Config{User: user.Name, Keep: []cap.Value{cap.NET_ADMIN}, Log: log}); err != nil {
		return configError{err}
	}

	rules, err := loadPolicy(o.policy, startedAs, log)
	if err != nil {
		return configError{err}
	}
	sink, closeSink, err := openAudit(o.audit, stderr, log)
	if err != nil {
		return err
	}
	defer closeSink()
	kernel, err := privd.OpenKernel()
	if err != nil {
		return err
	}
	defer kernel.Close()
	// From here on there is nothing left to open but the policy, for reading.
	if err := confine(sandbox.Config{RemoveSocket: listener.made}, log); err != nil {
		return err
	}
	server, err := privd.New(privd.Config{
		Listener: listener.UnixListener, PeerUID: peer.UID, Rules: rules, Audit: sink,
		Table: kernel, Reader: kernel, IdleExit: o.idleExit, Log: log,
	})
	if err != nil {
		return configError{err}
	}
	stop := reloadOnHangup(func() { reload(server, o.policy, startedAs, notify, log) })
	defer stop()
	log.Info("serving", "socket", listener.Addr().String(), "peer_uid", peer.UID, "version", version())
	notify.Ready()
	err = server.Run(ctx)
	notify.Stopping()
	return err
}

// confine puts the sandbox around all threads, and tells how many.
func confine(cfg sandbox.Config, log *slog.Logger) error {
	if err := sandbox.Install(cfg); err != nil {
		return err
	}
	status, err := sandbox.ReadStatus()
	if err != nil {
		return err
	}
	log.Info("sandbox installed", "threads", status.Threads, "filtered", status.Filtered)
	return nil
}

// loadPolicy reads the policy, and says so if there is none.
func loadPolicy(path string, owner uint32, log *slog.Logger) (*policy.Rules, error) {
	rules, found, err := privd.LoadPolicy(path, owner)
	if err == nil && !found {
		log.Warn("there is no policy file: nothing may be killed or changed", "file", path)
	}
	return rules, err
}

// reload reads the policy again. A bad file leaves the rules as they are; one that has
// gone means that nothing is allowed any more.
func reload(server *privd.Server, path string, owner uint32, notify *sdnotify.Notifier, log *slog.Logger) {
	notify.Reloading()
	defer notify.Ready()
	rules, err := loadPolicy(path, owner, log)
	if err != nil {
		log.Error("policy not reloaded, the old rules stay", "error", err)
		return
	}
	server.SetRules(rules)
	log.Info("policy reloaded", "file", path)
}

// reloadOnHangup calls do at each SIGHUP, until the function it returns has been called.
func reloadOnHangup(do func()) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-hangups:
				do()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(done)
		<-ended
	}
}

// version is what the build recorded.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
