// SPDX-License-Identifier: GPL-2.0-or-later

// Nuctl is the command line of NuConntrack: it lists, kills and changes the connections of a
// firewall through the front daemon, and edits the daemon's password file. Package cli
// has the commands. It holds no privilege and needs none.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/cli"
	"nuconntrack/cmd/nuctl/demo"
)

func main() {
	// A reader that goes away is an error to act upon, not a reason to die before logging
	// out. Caught, not ignored: children would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), ending()...)
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// ending are the signals that end the program in order: Ctrl-C, kill, and a terminal that is
// closed. What nohup, or a shell for what runs behind it, has set aside stays so.
func ending() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	return slices.DeleteFunc(all, signal.Ignored)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return cli.Run(ctx, cli.Config{
		Args: args, Stdin: stdin, Stdout: stdout, Stderr: stderr, Getenv: os.Getenv,
		More: []*cobra.Command{demo.Command(), demo.HostCommand()},
	})
}
