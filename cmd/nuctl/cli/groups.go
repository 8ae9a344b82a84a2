// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ranking"
)

// defaultGroupSort is the order of groups that nobody chose.
const defaultGroupSort = "byte_rate:desc"

// grouping is what the flags of groups say.
type grouping struct {
	filters  filterFlags
	sort     string
	limit    int
	format   string
	json     bool
	noHeader bool
	noPager  bool
}

func (a *app) groups() *cobra.Command {
	g := grouping{}
	cmd := &cobra.Command{
		Use:   "groups FIELD [EXPR…]",
		Short: "add connections up by a field: top talkers, ports, marks",
		Long: `Add up the connections that match, by the value that they have in one field: how many there
are, their rate, and what they sent and received. The field is one of
` + fold(table.GroupingNames(), 90) + `
or a name of the expression language that stands for one: src, dst, sport, dport.

Connections without the field are in no group; the last line says how many. A sum is over those
connections that have what is summed, and - where none has. Tables show rates and sizes
in powers of 1000, the other formats are exact.

The expression and the filters are those of 'nuctl list'.`,
		Example: `  nuctl groups src --limit 10
  nuctl groups dport --sort connections:desc proto tcp and dst 10.0.0.0/8
  nuctl groups src --sort connections:desc 'tcp and state syn_recv'
  nuctl groups mark -o json`,
		Args:              arguments(1, 0),
		ValidArgsFunction: completeGroups,
		RunE: func(cmd *cobra.Command, args []string) error {
			g.filters.expr = args[1:]
			return a.runGroups(cmd.Context(), &g, args[0], cmd.Flags().Changed)
		},
	}
	f := cmd.Flags()
	g.filters.flags(f)
	f.StringVar(&g.sort, "sort", defaultGroupSort, "sort by `ORDER[:desc]`: "+strings.Join(ranking.GroupOrders(), ", "))
	f.IntVar(&g.limit, "limit", 0, "show at most so many groups (0: all)")
	f.StringVarP(&g.format, "output", "o", "table", "`FORMAT`: "+strings.Join(output.GroupFormats(), ", "))
	f.BoolVarP(&g.json, "json", "j", false, "short for -o json")
	f.BoolVarP(&g.noHeader, "no-header", "H", false, "leave out the line of titles")
	f.BoolVar(&g.noPager, "no-pager", false, "never show the groups through a pager")
	completeFlag(cmd, "sort", completeOrders(ranking.GroupOrders()))
	completeFlag(cmd, "limit", cobra.NoFileCompletions)
	completeFlag(cmd, "output", completeWords(output.GroupFormats()...))
	completeFilters(cmd)
	return cmd
}

// query gives what is asked of the server, and settles the format.
func (g *grouping) query(by string, changed func(string) bool) (client.GroupQuery, error) {
	if g.json {
		if changed("output") {
			return client.GroupQuery{}, usagef("-j and -o exclude each other")
		}
		g.format = "json"
	}
	filters, err := g.filters.compile()
	switch {
	case err != nil:
		return client.GroupQuery{}, err
	case g.limit < 0:
		return client.GroupQuery{}, usagef("--limit must not be negative")
	case !slices.Contains(output.GroupFormats(), g.format):
		return client.GroupQuery{}, usagef("output format %q is none of %s", g.format, strings.Join(output.GroupFormats(), ", "))
	}
	order, descending, err := parseSort(cmp.Or(g.sort, defaultGroupSort))
	return client.GroupQuery{By: table.GroupingName(by), Filters: filters, OrderBy: order, Ascending: !descending, Length: g.limit}, err
}

func (a *app) runGroups(ctx context.Context, g *grouping, by string, changed func(string) bool) error {
	query, err := g.query(by, changed)
	if err != nil {
		return err
	}
	var out io.Writer = a.stdout
	paged := a.openPager(g.noPager || !output.Tabular(g.format))
	if paged != nil {
		out = paged
	}
	writer, err := output.New(output.Config{Format: g.format, Out: out, Columns: a.terminalWidth(), GroupBy: query.By,
		OrderBy: query.OrderBy, NoHeader: g.noHeader, Unicode: unicodeLocale(a.getenv), Colour: a.colour(a.stdout)})
	if err != nil {
		return &usageError{err}
	}
	list := lister{app: a, writer: writer, holdBack: paged != nil}
	var last client.Groups
	err = a.withSession(ctx, func(s *client.Session) (err error) {
		last, err = list.writeGroups(ctx, s, query)
		return err
	})
	if paged != nil {
		err = errors.Join(err, paged.Close())
	}
	if errors.Is(err, errQuit) {
		err = nil
	}
	list.sayNotes()
	if err == nil && output.Tabular(g.format) {
		fmt.Fprintf(a.stderr, "nuctl: %s\n", groupsText(list.shown, query.By, last))
	}
	return err
}

// writeGroups writes what a query asks for and gives the last page.
func (l *lister) writeGroups(ctx context.Context, s *client.Session, q client.GroupQuery) (last client.Groups, err error) {
	for page, err := range s.GroupPages(ctx, q) {
		if err != nil {
			return last, err
		}
		l.warn(page.Warnings...)
		rows := make([]connection.Row, len(page.Groups))
		for i, group := range page.Groups {
			rows[i] = group.Row()
		}
		if err := l.writer.Page(rows); err != nil {
			return last, fmt.Errorf("write groups: %w", err)
		}
		l.shown += len(rows)
		last = page
	}
	if err := l.writer.End(); err != nil {
		return last, fmt.Errorf("write groups: %w", err)
	}
	return last, nil
}

// groupsText is what stands below the groups: what all that match have together.
func groupsText(shown int, by string, g client.Groups) string {
	text := fmt.Sprintf("%d groups", g.Total)
	switch {
	case shown < g.Total:
		text = fmt.Sprintf("%d of %d groups", shown, g.Total)
	case g.Total == 1:
		text = "1 group"
	}
	text += fmt.Sprintf("; together %s, %s", plural(g.All.Connections), output.Together(g.All.Row()))
	if g.Without > 0 {
		text += fmt.Sprintf("; %d without %s, in no group", g.Without, output.Clean(by))
	}
	return text
}

// fold joins words by commas to lines of at most so many characters.
func fold(words []string, width int) string {
	var b strings.Builder
	used := 0
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		switch {
		case used > 0 && used+1+len(word) > width:
			b.WriteByte('\n')
			used = 0
		case used > 0:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}

// completeGroups offers fields to group by, and behind one an expression.
func completeGroups(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return completeExpression(cmd, args[1:], word)
	}
	return begins(table.GroupingNames(), word), cobra.ShellCompDirectiveNoFileComp
}
