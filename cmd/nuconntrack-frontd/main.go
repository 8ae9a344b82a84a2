// SPDX-License-Identifier: GPL-2.0-or-later

// Command nuconntrack-frontd serves the connection table over XML-RPC. It faces the
// network and holds no privilege.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"nuconntrack/cmd/logging"
	"nuconntrack/cmd/privilege"
	"nuconntrack/cmd/sdnotify"
	"nuconntrack/frontd"
	"nuconntrack/frontd/config"
	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/sandbox"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

const defaultConfig = "/etc/nuconntrack/frontd.toml"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the command line.
type options struct {
	config         string
	override       config.Override
	check, version bool
}

func parse(args []string, stdout, stderr io.Writer) (o options, code int, done bool) {
	f := flag.NewFlagSet("nuconntrack-frontd", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.config, "config", defaultConfig, "read the configuration from `FILE`")
	f.StringVar(&o.override.Listen, "listen", "", "listen on this `ADDRESS` (ip:port, plain:ip:port or unix:/path) instead of those in the file")
	f.StringVar(&o.override.Privd, "privd", "", "reach the helper at `PATH`, instead of that in the file")
	f.BoolVar(&o.check, "check-config", false, "print the configuration as understood, and end")
	f.BoolVar(&o.version, "version", false, "print the version, and end")
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage(f))
		return o, exitDone, true
	case err != nil:
		fmt.Fprintf(stderr, "nuconntrack-frontd: %v (--help lists all flags)\n", err)
		return o, exitUsage, true
	case f.NArg() > 0:
		fmt.Fprintf(stderr, "nuconntrack-frontd: unexpected argument %q\n", f.Arg(0))
		return o, exitUsage, true
	case o.version:
		fmt.Fprintln(stdout, "nuconntrack-frontd", version())
		return o, exitDone, true
	}
	return o, exitDone, false
}

// usage lists the flags as the documentation writes them.
func usage(f *flag.FlagSet) string {
	var b strings.Builder
	fmt.Fprint(&b, "Usage: nuconntrack-frontd [flags]\n\nThe daemon of NuConntrack that faces the network.\n\n")
	f.VisitAll(func(g *flag.Flag) {
		kind, text := flag.UnquoteUsage(g)
		line := strings.TrimRight("--"+g.Name+" "+kind, " ")
		if g.DefValue != "" && g.DefValue != "false" {
			text += " (default " + g.DefValue + ")"
		}
		fmt.Fprintf(&b, "  %s\n      %s\n", line, text)
	})
	fmt.Fprint(&b, "\nSIGHUP reads the configuration and the certificates again; a bad file leaves what was.\n")
	return b.String()
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, code, done := parse(args, stdout, stderr)
	if done {
		return code
	}
	fail := func(code int, err error) int {
		fmt.Fprintln(stderr, "nuconntrack-frontd:", err)
		if !o.check {
			sdnotify.HoldBack(ctx)
		}
		return code
	}
	settings, err := load(&o)
	if err != nil {
		return fail(exitUsage, err)
	}
	if o.check {
		fmt.Fprint(stdout, settings)
		return exitDone
	}
	var level slog.LevelVar
	level.Set(settings.Log.Level)
	log, flush := logging.New(logging.Config{
		Out: stderr, Format: logging.Format(settings.Log.Format), Level: &level,
		Journal: logging.UnderJournal(os.Getenv("JOURNAL_STREAM"), stderr),
	})
	defer flush()
	listeners, err := listen.Open(ctx, listen.Config{Addresses: settings.Listen, Metrics: settings.Metrics.Listen, Check: settings.CheckListener, Log: log})
	if err != nil {
		return fail(exitFailed, err)
	}
	for _, l := range listeners {
		w := settings.ListenerWarning(l.Addr(), l.Plain)
		if l.Name == listen.Metrics {
			w = settings.MetricsWarning(l.Addr())
		}
		if w != "" {
			log.Warn(w)
		}
	}
	notify, err := sdnotify.Open(log)
	if err != nil {
		return fail(exitFailed, err)
	}
	defer notify.Close()
	if err := drop(settings, log); err != nil {
		return fail(exitFailed, err)
	}
	server, err := frontd.New(frontd.Config{Settings: settings, File: o.config, Listeners: listeners, Version: version(), Log: log})
	if err != nil {
		return fail(exitFailed, err)
	}
	box := sandbox.Config{Read: server.Reads(), Remove: ownSockets(listeners), Connect: server.Connects(), Log: log}
	if err := sandbox.Restrict(box); err != nil {
		return fail(exitFailed, err)
	}
	defer reloading(func() { reload(server, o, &level, notify, log) })()
	// The sockets listen already: a connection waits there until Run accepts it.
	notify.Ready()
	stopping := context.AfterFunc(ctx, notify.Stopping)
	defer stopping()
	if err := server.Run(ctx); err != nil {
		return fail(exitFailed, err)
	}
	return exitDone
}

// load reads the configuration, and makes its path and that of the helper absolute, for reload.
func load(o *options) (settings *config.Config, err error) {
	if o.config, err = filepath.Abs(o.config); err != nil {
		return nil, fmt.Errorf("find configuration: %w", err)
	}
	if settings, err = config.Load(o.config, o.override); err == nil && o.override.Privd != "" {
		o.override.Privd = settings.Privd
	}
	return settings, err
}

// drop gives up every privilege. Only root can become another user, and not even root can in
// a user namespace that has no other.
func drop(settings *config.Config, log *slog.Logger) error {
	user := settings.User
	switch {
	case os.Geteuid() != 0:
		user = privilege.Self
	case !settings.UserGiven && privilege.SingleUID():
		log.Warn("staying who I am: this user namespace has no other user")
		user = privilege.Self
	}
	return privilege.Become(privilege.Config{User: user, Log: log})
}

// reload reads the configuration again, and the certificates. A bad file leaves all as it is.
func reload(server *frontd.Server, o options, level *slog.LevelVar, notify *sdnotify.Notifier, log *slog.Logger) {
	notify.Reloading()
	defer notify.Ready()
	if err := server.ReloadCertificates(); err != nil {
		log.Error("not reloaded", "error", err)
	}
	settings, err := config.Load(o.config, o.override)
	if err != nil {
		for _, mistake := range strings.Split(err.Error(), "\n") {
			log.Error("configuration not reloaded, the former one stays", "error", mistake)
		}
		return
	}
	if err := server.Reload(settings); err != nil {
		log.Error("configuration not reloaded, the former one stays", "error", err)
		return
	}
	level.Set(settings.Log.Level)
}

// reloading calls do at each SIGHUP, until stop is called.
func reloading(do func()) (stop func()) {
	hangups := make(chan os.Signal, 1)
	ended := make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-hangups:
				do()
			case <-ended:
				return
			}
		}
	})
	return func() {
		signal.Stop(hangups)
		close(ended)
		done.Wait()
	}
}

// ownSockets are the Unix sockets that the daemon made, and removes when it ends.
func ownSockets(listeners []listen.Listener) (paths []string) {
	for _, l := range listeners {
		if a, ok := l.Addr().(*net.UnixAddr); ok && !l.Passed {
			paths = append(paths, a.Name)
		}
	}
	return paths
}

// version is what the module was built as.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
