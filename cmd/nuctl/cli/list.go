// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/frontd/table"
)

// listing is what the flags of list say.
type listing struct {
	filters  filterFlags
	sort     string
	limit    int
	format   string
	json     bool
	noHeader bool
	fields   []string
}

func (a *app) list() *cobra.Command {
	l := listing{}
	cmd := &cobra.Command{
		Use:   "list [EXPR…]",
		Short: "list connections",
		Long: `List the connections that match the expression and all filters. A filter's value may
be a list (80,443: any of these), a network (10.0.0.0/8), a range (1024-65535), a
comparison (>=1000) or a negation (!22); quote what the shell would take for itself.
In tables, SOURCE -> OTHER shows what address translation makes of an address, - is
what the kernel does not know, B/S bytes per second, k, M and G powers of 1000, and !
a timeout that is fixed. The other formats are exact.

` + table.ExprHelp(),
		Example: `  nuctl list proto tcp and dst 10.0.0.0/8 and not state established
  nuctl list 'rate > 100k and (dport 80,443 or nat)'
  nuctl list -p tcp -d 10.0.0.0/8 --dport 80,443 --state established
  nuctl list --sort byte_rate:desc --limit 20
  nuctl list --filter 'byte_rate=>100000' -o jsonl`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			l.filters.expr = args
			if l.json && cmd.Flags().Changed("output") {
				return usagef("-j and -o exclude each other")
			}
			return a.runList(cmd.Context(), l)
		},
	}
	f := cmd.Flags()
	l.filters.flags(f)
	f.StringVar(&l.sort, "sort", "", "sort by `FIELD[:desc]`")
	f.IntVar(&l.limit, "limit", 0, "show at most so many (0: all)")
	f.StringVarP(&l.format, "output", "o", "table", "format: "+strings.Join(output.Formats(), ", "))
	f.BoolVarP(&l.json, "json", "j", false, "short for -o json")
	f.BoolVarP(&l.noHeader, "no-header", "H", false, "leave out the line of titles")
	f.StringSliceVar(&l.fields, "fields", nil, "only these fields, separated by commas")
	return cmd
}

func (a *app) runList(ctx context.Context, l listing) error {
	query, err := l.query()
	if err != nil {
		return err
	}
	if l.json {
		l.format = "json"
	}
	writer, err := output.New(output.Config{
		Format: l.format, Out: a.stdout, Columns: a.terminalWidth(), Fields: l.fields,
		NoHeader: l.noHeader, Unicode: unicodeLocale(a.getenv),
	})
	if err != nil {
		return &usageError{err}
	}
	if l.format == "table" && len(query.Fields) == 0 {
		query.Fields = connection.Summary()
	}
	return a.withSession(ctx, func(s *client.Session) error {
		shown, total, err := a.writePages(ctx, s, query, writer)
		if err != nil {
			return err
		}
		if l.format == "table" && shown < total {
			fmt.Fprintf(a.stderr, "nuctl: %d of %d matching connections shown\n", shown, total)
		}
		return nil
	})
}

// writePages passes rows on as they come, and each warning of the server once.
func (a *app) writePages(ctx context.Context, s *client.Session, q client.Query, w output.Writer) (shown, total int, err error) {
	warned := map[string]bool{}
	for page, err := range s.Pages(ctx, q) {
		if err != nil {
			return 0, 0, err
		}
		for _, text := range page.Warnings {
			if !warned[text] {
				warned[text] = true
				a.warn(text)
			}
		}
		rows := make([]connection.Row, len(page.Rows))
		for i, row := range page.Rows {
			rows[i] = row
		}
		if err := w.Page(rows); err != nil {
			return 0, 0, fmt.Errorf("write list: %w", err)
		}
		shown, total = shown+len(rows), page.Total
	}
	if err := w.End(); err != nil {
		return 0, 0, fmt.Errorf("write list: %w", err)
	}
	return shown, total, nil
}

func (l listing) query() (client.Query, error) {
	filters, err := l.filters.compile()
	if err != nil {
		return client.Query{}, err
	}
	if l.limit < 0 {
		return client.Query{}, usagef("--limit must not be negative")
	}
	q := client.Query{Filters: filters, Limit: l.limit, Fields: l.fields}
	field, direction, directed := strings.Cut(l.sort, ":")
	q.OrderBy = field
	switch strings.ToLower(direction) {
	case "asc":
	case "desc":
		q.Descending = true
	default:
		if directed {
			return client.Query{}, usagef("--sort %q: the direction is asc or desc", l.sort)
		}
	}
	if directed && field == "" {
		return client.Query{}, usagef("--sort %q: no field", l.sort)
	}
	return q, nil
}
