// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/frontd/table"
)

const (
	// sampleRows is how many connections a question shows.
	sampleRows = 10
	// maxMatching is how many connections one --matching may kill: their keys, about 150 bytes
	// each, are held until the last is killed.
	maxMatching = 4_000_000
	// waitTime is for how long what the helper's policy refuses for now is sent again unless it
	// is said: with the default policy time for more than half a million.
	waitTime = 10 * time.Minute
)

// killing is what the flags of kill say.
type killing struct {
	matching     string
	dryRun       bool
	yes          bool
	force        bool
	watchSeconds int
	wait         time.Duration
	format       string
	json         bool
}

// watchSeconds is for how long a kill is watched unless it is said: an answer that comes at once
// but is not true a moment later would be worse than one to wait for.
const watchSeconds = 2

func (a *app) kill() *cobra.Command {
	k := killing{}
	cmd := &cobra.Command{
		Use:   "kill ID|KEY…|- | --matching EXPR",
		Short: "kill connections",
		Long: `Kill connections, named by the ID that 'nuctl list' shows or by their key ('nuctl list --fields
key,orig_src,orig_dst'): an id is nearly, a key quite unique. - reads names from standard input, one
a line. --matching kills exactly what matches an expression in one table, the one that --dry-run or the
question shows. More than one connection asks first, and where there is no terminal to ask at, --yes
has to say so.

Each connection's fate is told: killed, already gone, replaced by another, protected by a rule of the
helper's policy, or back within --watch-seconds: a killed TCP connection is there again with its
next packet if the rules of the firewall let it. If any was not killed, or is back, the exit code is
1, and 4 if you may not kill at all.

The helper's policy limits how many are killed a second. What it refuses for that reason is sent
again, as it allows, for as long as --wait says. Ctrl-C ends that, and then it is told how many were
killed and how many were not.`,
		Example: `  nuctl kill 4066254881
  nuctl kill --matching 'dst 203.0.113.7 and tcp' --dry-run
  nuctl kill --matching 'src 10.0.0.5 and not dport 22' --watch-seconds 5
  nuctl list 'rate > 10M' --fields key -o csv -H | nuctl kill --yes -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("matching") && len(args) == 0 {
				return usagef("too few arguments: %s", cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := k.check(cmd.Flags().Changed); err != nil {
				return err
			}
			if cmd.Flags().Changed("matching") {
				// The shell has taken an expression apart that was not quoted.
				return a.killMatching(cmd.Context(), &k, table.JoinExpr(append([]string{k.matching}, args...)))
			}
			return a.killNamed(cmd.Context(), &k, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if !cmd.Flags().Changed("matching") {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeExpression(cmd, append([]string{k.matching}, args...), word)
		},
	}
	f := cmd.Flags()
	f.StringVar(&k.matching, "matching", "", "kill what matches this `EXPR`ession")
	f.BoolVar(&k.dryRun, "dry-run", false, "show what would be killed, and kill nothing")
	f.BoolVarP(&k.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&k.force, "force", false, "kill the connection that nuctl itself came in on, too")
	f.IntVar(&k.watchSeconds, "watch-seconds", watchSeconds, "look for so many seconds, from 0 to 5, whether they come back")
	f.DurationVar(&k.wait, "wait", waitTime, "for what `DURATION` to go on where the helper's policy limits how many are killed a second; 0: send each once")
	f.StringVarP(&k.format, "output", "o", "table", "`FORMAT`: table, json, jsonl")
	f.BoolVarP(&k.json, "json", "j", false, "short for -o json")
	completeFlag(cmd, "output", completeWords("table", "json", "jsonl"))
	completeFlag(cmd, "matching", func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return completeExpression(cmd, nil, word)
	})
	return cmd
}

func (k *killing) check(changed func(string) bool) error {
	switch most := int(client.MaxWatch / time.Second); {
	case k.json && changed("output"):
		return usagef("-j and -o exclude each other")
	case k.json:
		k.format = "json"
	case k.format != "table" && k.format != "json" && k.format != "jsonl":
		return usagef("output format %q is none of table, json, jsonl", k.format)
	case k.watchSeconds < 0 || k.watchSeconds > most:
		return usagef("--watch-seconds %d: must be from 0 to %d", k.watchSeconds, most)
	case k.wait < 0:
		return usagef("--wait %s: must not be negative", k.wait)
	case changed("matching") && k.matching == "":
		return usagef("--matching: an empty expression; 'nuctl kill --matching id 0-4294967295' would be all connections")
	}
	return nil
}

func (k *killing) options() client.KillOptions {
	return client.KillOptions{Watch: time.Duration(k.watchSeconds) * time.Second, Force: k.force}
}

// killMatching kills what matches in one table: the same that is shown and asked about.
func (a *app) killMatching(ctx context.Context, k *killing, expr string) error {
	query := client.Query{Filters: map[string]any{"expr": expr}, Fields: append(connection.Summary(), "key")}
	return a.withSession(ctx, func(s *client.Session) error {
		// What began this very moment is meant, too.
		if err := s.Refresh(ctx); err != nil {
			return err
		}
		if k.dryRun {
			return a.dryRun(ctx, k, s, query)
		}
		page, err := s.Window(ctx, query, 0, sampleRows, "")
		if err != nil {
			return err
		}
		a.warnKill(page.Warnings)
		if page.Total > 1 {
			if err := a.confirmKill(ctx, k, page); err != nil {
				return err
			}
		}
		q := a.newKillQueue(k, s, page.Total)
		if page.Total > 0 {
			err = q.matching(ctx, s, query, page)
		}
		return q.run(ctx, err)
	})
}

// matching kills what matches in the table of a page, in one call if the server takes that many
// at once; else it puts all of their keys into the queue, since that table may be dropped before
// the last of them is killed.
func (q *killQueue) matching(ctx context.Context, s *client.Session, query client.Query, page client.Page) error {
	if page.Total > maxMatching {
		return usagef("%d connections match, more than %d: narrow the expression", page.Total, maxMatching)
	}
	if page.Total <= client.MaxMatching {
		began := time.Now()
		reports, err := s.KillMatching(ctx, query.Filters, page.Snapshot, q.k.options())
		if err != nil {
			return q.failed(err, page.Total)
		}
		asked := page.Total
		q.total, q.missing = max(asked, len(reports)), max(asked-len(reports), 0)
		err = q.take(began, slices.Repeat([]doomed{{seen: true}}, len(reports)), reports)
		if err == nil && len(reports) != asked {
			err = fmt.Errorf("the server tells of %s, and %d were to be killed", plural(len(reports)), asked)
		}
		return err
	}
	query.Fields = []string{"key"}
	for start := 0; start < page.Total; {
		part, err := s.Window(ctx, query, start, client.PageRows, page.Snapshot)
		if err != nil {
			return err
		}
		if len(part.Rows) == 0 {
			break
		}
		for _, row := range rowsOf(part) {
			text, _ := row.Text("key")
			key, err := parseTarget(text)
			if err != nil || fieldOf(key) != "key" {
				return errors.New("the server names a connection without its key")
			}
			q.left = append(q.left, doomed{name: key, seen: true})
		}
		start += len(part.Rows)
	}
	if len(q.left) != page.Total {
		return fmt.Errorf("the server names %s, and %d were to be killed: nothing was done", plural(len(q.left)), page.Total)
	}
	return nil
}

// dryRun shows what queries find as what would be killed, each once.
func (a *app) dryRun(ctx context.Context, k *killing, s *client.Session, queries ...client.Query) error {
	writer, err := output.New(output.Config{Format: k.format, Out: a.stdout, Columns: a.terminalWidth(),
		Unicode: unicodeLocale(a.getenv), Colour: a.colour(a.stdout)})
	if err != nil {
		return err
	}
	found := 0
	shown := map[string]bool{} // by id or key, where there are queries for both
	for _, query := range queries {
		for page, err := range s.Pages(ctx, query) {
			if err != nil {
				return err
			}
			rows := rowsOf(page)
			if len(queries) > 1 {
				rows = slices.DeleteFunc(rows, func(row connection.Row) bool {
					key, named := row.Text("key")
					before := named && shown[key]
					shown[key] = true
					return before
				})
			}
			found += len(rows)
			if err := writer.Page(rows); err != nil {
				return fmt.Errorf("write list: %w", err)
			}
		}
	}
	if err := writer.End(); err != nil {
		return fmt.Errorf("write list: %w", err)
	}
	own := " or nuctl came in on them"
	if k.force {
		own = ""
	}
	fmt.Fprintf(a.stderr, "nuctl: %s would be killed, unless the helper's policy protects them%s; nothing was done\n", plural(found), own)
	return nil
}
