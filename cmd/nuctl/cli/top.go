// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/top"
	"nuconntrack/frontd/table"
)

// watching is what the flags of top say.
type watching struct {
	sort     string
	interval time.Duration
	readOnly bool
}

func (a *app) top() *cobra.Command {
	var w watching
	cmd := &cobra.Command{
		Use:   "top [EXPR…]",
		Short: "watch connections, kill and change them, on the whole terminal",
		Long: `Show the connections on the whole terminal, read anew every few seconds: those that match the
expression, the fastest first. ? lists the keys: letters sort, / filters, digits group, Space marks,
k kills after asking, K all that match the filter, q quits. A mark belongs to the connection, not to its line.
What the role of the user does not permit is not offered. Without colours if NO_COLOR is set.

` + table.ExprHelp(),
		Example: `  nuctl top
  nuctl top tcp and dport 443
  nuctl top --sort orig_counter_bytes:desc --interval 5s --read-only`,
		Args:              arguments(0, 0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runTop(cmd.Context(), args, w) },
		ValidArgsFunction: completeExpression,
	}
	f := cmd.Flags()
	f.StringVar(&w.sort, "sort", "", "sort by `FIELD[:desc]` first (default byte_rate:desc)")
	f.DurationVar(&w.interval, "interval", top.DefaultInterval, "how often to read the table")
	f.BoolVar(&w.readOnly, "read-only", false, "offer nothing that kills or changes")
	completeFlag(cmd, "sort", completeSort)
	completeFlag(cmd, "interval", cobra.NoFileCompletions)
	return cmd
}

func (a *app) runTop(ctx context.Context, args []string, w watching) error {
	if w.interval < top.MinInterval || w.interval > top.MaxInterval {
		return usagef("--interval %v: must be from %v to %v", w.interval, top.MinInterval, top.MaxInterval)
	}
	field, descending, err := parseSort(w.sort)
	if err != nil {
		return err
	}
	expr := ""
	if len(args) > 0 {
		expr = table.JoinExpr(args)
		if _, err := table.ParseExpr(expr); err != nil {
			return &usageError{err}
		}
	}
	if !isTerminal(a.stdin) || !isTerminal(a.stdout) {
		return usagef("top needs a terminal; 'nuctl list' writes to files and pipes")
	}
	if kind := a.getenv("TERM"); kind == "" || kind == "dumb" {
		return usagef("top cannot draw on a terminal of type %q: set TERM", kind)
	}
	way, err := a.way()
	if err != nil {
		return err
	}
	return a.withSessionBy(ctx, way, func(s *client.Session) error {
		who, err := s.Whoami(ctx)
		if err != nil {
			return err
		}
		fields, err := s.Fields(ctx)
		if err != nil {
			return err
		}
		var names []string
		for _, f := range fields {
			names = append(names, f.Name)
		}
		if field != "" && !slices.Contains(names, field) {
			return usagef("--sort %q: the server has no such field", field)
		}
		return top.Run(ctx, top.Config{
			Source: s, Server: way.address.String(), Identity: who, Fields: names, Expr: expr,
			OrderBy: field, Descending: descending, Interval: w.interval, ReadOnly: w.readOnly,
			Unicode: unicodeLocale(a.getenv), Colours: a.getenv("NO_COLOR") == "",
		})
	})
}

// isTerminal says whether a stream is one.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
