// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Config is what Run needs.
type Config struct {
	// Args are the arguments without the program's name.
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Getenv looks up the environment.
	Getenv func(string) string
	// More are commands from other packages.
	More []*cobra.Command
}

// app is one run of the program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	args           []string
	settings       settings
	// began says that a command runs: what failed before was the way it was written.
	began bool
}

// Run does what the arguments say and gives the exit code. When ctx ends it logs out and
// returns.
func Run(ctx context.Context, c Config) int {
	a := &app{stdin: c.Stdin, stdout: c.Stdout, stderr: c.Stderr, getenv: c.Getenv, args: c.Args}
	root := a.root()
	root.AddCommand(c.More...)
	root.SetArgs(joinWatch(c.Args))
	root.SetIn(c.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && err != nil {
		// What fails while everything is torn down is of no interest.
		var unsure *lostError
		if errors.As(err, &unsure) {
			err = &lostError{context.Canceled, unsure.text}
		} else {
			err = context.Canceled
		}
	}
	if err != nil && !a.began {
		err = &usageError{err}
	}
	return report(c.Stderr, err)
}

// Tree gives all commands, more among them, for who describes them. They cannot be run.
func Tree(more ...*cobra.Command) *cobra.Command {
	root := (&app{}).root()
	root.AddCommand(more...)
	return root
}

func (a *app) root() *cobra.Command {
	check := false
	root := &cobra.Command{
		Use:   "nuctl",
		Short: "see, cut and change the connections of a firewall",
		Long: `nuctl asks a NuConntrack server for the connections that a Linux firewall tracks,
kills them and changes their mark or timeout. It also edits the server's password file.`,
		Version:          version(),
		SilenceErrors:    true,
		SilenceUsage:     true,
		PersistentPreRun: func(*cobra.Command, []string) { a.began = true },
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				return usagef("unknown command %q, did you mean %q?", args[0], near[0])
			}
			return usagef("unknown command %q", args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return a.checkConfig()
			}
			return cmd.Help()
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetVersionTemplate("nuctl {{.Version}}\n")
	root.Flags().BoolVar(&check, "check-config", false, "check the connection settings, without connecting, and exit")
	root.Flags().BoolP("version", "v", false, "print the version, and exit")
	root.PersistentFlags().BoolP("help", "h", false, "say what can be written")
	a.settings.flags(root.PersistentFlags())
	a.completeSettings(root)
	root.AddCommand(a.list(), a.groups(), a.top(), a.kill(), a.change(), a.passwd(),
		a.profilesCommand(), a.configCommand(), a.whoami(), a.doctor(), a.export())
	return root
}

// arguments wants from low to high arguments; high 0 is no limit, and
// below 0 is none at all.
func arguments(low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return usagef("too few arguments: %s", cmd.UseLine())
		case high != 0 && len(args) > max(high, 0):
			return usagef("too many arguments: %s", cmd.UseLine())
		}
		return nil
	}
}

// group is a command that only has subcommands.
func group(use, short string, subcommands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s: what? See 'nuctl %s --help'", use, use)
			}
			return usagef("%s: unknown command %q", use, args[0])
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(subcommands...)
	return cmd
}

// version is what the build recorded.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}

// terminalWidth is the width for tables, 0 if there is no limit.
func (a *app) terminalWidth() int {
	out, _ := a.stdout.(*os.File)
	return columnsOf(out, a.getenv("COLUMNS"))
}
