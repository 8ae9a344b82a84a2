// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/names"
	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/frontd/table"
)

func (a *app) list() *cobra.Command {
	l := listing{}
	cmd := &cobra.Command{
		Use:   "list [EXPR…]",
		Short: "list connections",
		Long: `List the connections that match the expression and all filters. A filter's value may
be a list (80,443: any of these), a network (10.0.0.0/8), a range (1024-65535), a
comparison (>=1000) or a negation (!22); quote what the shell would take for itself.

In tables, 10.0.0.5:40000 -> 198.51.100.7:61000 shows what address translation makes of
an address, - is what the kernel does not know, B/S bytes per second, k, M and G powers
of 1000, and ! a timeout that is fixed. table shows what fits the terminal, wide
everything. extended is what 'conntrack -L -o extended' prints, and save what
'conntrack --load-file' reads. These and the other formats are exact.

At a terminal, what is longer than the screen goes through NUCTL_PAGER, PAGER or less.
With --watch a terminal shows as many as fit, again and again; elsewhere each round
comes as jsonl, with the time of its table in the member taken.

` + table.ExprHelp(),
		Example: `  nuctl list proto tcp and dst 10.0.0.0/8 and not state established
  nuctl list 'rate > 100k and (dport 80,443 or nat)'
  nuctl list -p tcp -d 10.0.0.0/8 --dport 80,443 --state established
  nuctl list --sort byte_rate:desc --limit 20
  nuctl list --filter 'byte_rate=>100000' -o jsonl
  nuctl list --watch 5 --sort byte_rate:desc
  nuctl list -o save > table && conntrack --load-file table`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			l.filters.expr = args
			return a.runList(cmd.Context(), &l, cmd.Flags().Changed)
		},
		ValidArgsFunction: completeExpression,
	}
	l.flags(cmd)
	return cmd
}

func (a *app) runList(ctx context.Context, l *listing, changed func(string) bool) error {
	query, err := l.query(changed)
	if err != nil {
		return err
	}
	if changed("watch") {
		return a.watchList(ctx, l, query, changed("output") || l.json)
	}
	var out io.Writer = a.stdout
	paged := a.openPager(l.noPager || !output.Tabular(l.format))
	if paged != nil {
		out = paged
	}
	closeNames := a.setNames(l)
	defer closeNames()
	writer, err := output.New(a.outputConfig(l, out, a.terminalWidth()))
	if err != nil {
		return &usageError{err}
	}
	list := lister{app: a, writer: writer, rows: l.rowsOf, holdBack: paged != nil}
	err = a.withSession(ctx, func(s *client.Session) error { return list.write(ctx, s, query) })
	if paged != nil {
		// The session is over, however long somebody reads.
		err = errors.Join(err, paged.Close())
	}
	list.sayNotes()
	if errors.Is(err, errQuit) {
		// Who left the pager has seen enough, however much that was.
		return nil
	}
	if err == nil && output.Tabular(l.format) {
		list.sayCount(query.Start)
	}
	return err
}

// setNames makes the names that the list is to show; what it gives ends the look-ups.
func (a *app) setNames(l *listing) (done func()) {
	if !l.resolve {
		return func() {}
	}
	services, err := readServices("/etc/services")
	if err != nil {
		a.warn(fmt.Sprintf("ports stay numbers: %v", err))
	}
	resolver := names.New(names.Config{Services: services})
	l.names = resolver
	return resolver.Close
}

// maxServices is how much of /etc/services is read, in bytes.
const maxServices = 4 << 20

func readServices(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxServices))
	return string(text), err
}

func (a *app) outputConfig(l *listing, out io.Writer, columns int) output.Config {
	orderBy, _, _ := strings.Cut(l.sort, ":")
	c := output.Config{Format: l.format, Out: out, Columns: columns, Fields: l.fields, OrderBy: orderBy,
		NoHeader: l.noHeader, Unicode: unicodeLocale(a.getenv), Colour: a.colour(a.stdout)}
	if l.names != nil {
		c.Names = l.names
	}
	return c
}

// lister passes rows on as they come, and what there is to say of them.
type lister struct {
	app    *app
	writer output.Writer
	// rows makes rows of a page as the writer wants them.
	rows func(client.Page) []connection.Row
	// holdBack keeps what there is to say until the list is written: a pager has the
	// screen.
	holdBack            bool
	notes               []string
	said                map[string]bool
	shown, total, count int
}

func (l *lister) write(ctx context.Context, s *client.Session, q client.Query) error {
	for page, err := range s.Pages(ctx, q) {
		if err != nil {
			return err
		}
		l.warn(page.Warnings...)
		l.total, l.count = page.Total, page.Count
		if err := l.writer.Page(l.rows(page)); err != nil {
			return fmt.Errorf("write list: %w", err)
		}
		l.shown += len(page.Rows)
	}
	if err := l.writer.End(); err != nil {
		return fmt.Errorf("write list: %w", err)
	}
	asked := max(l.total-q.Start, 0)
	if q.Limit > 0 {
		asked = min(asked, q.Limit)
	}
	if l.shown < asked {
		return fmt.Errorf("the server gave %d of %d connections", l.shown, asked)
	}
	l.warn(output.Notes(l.writer)...)
	return nil
}

// warn says each text once, at once or when the list is written.
func (l *lister) warn(texts ...string) {
	for _, text := range texts {
		switch {
		case l.said[text]:
			continue
		case l.said == nil:
			l.said = map[string]bool{}
		}
		l.said[text] = true
		if l.holdBack {
			l.notes = append(l.notes, text)
		} else {
			l.app.warn(text)
		}
	}
}

func (l *lister) sayNotes() {
	for _, text := range l.notes {
		l.app.warn(text)
	}
}

// sayCount says at a terminal how many of how many are shown; where the list itself goes
// elsewhere, only if they are not all. Who runs a script knows what it asks for.
func (l *lister) sayCount(start int) {
	switch {
	case !isTerminal(l.app.stderr):
	case start > 0 && l.shown > 0:
		fmt.Fprintf(l.app.stderr, "nuctl: %d to %d of %d matching connections shown\n", start+1, start+l.shown, l.total)
	case l.shown < l.total:
		fmt.Fprintf(l.app.stderr, "nuctl: %d of %d matching connections shown\n", l.shown, l.total)
	case !isTerminal(l.app.stdout):
	case l.total < l.count:
		fmt.Fprintf(l.app.stderr, "nuctl: %s of %d\n", plural(l.total), l.count)
	default:
		fmt.Fprintf(l.app.stderr, "nuctl: %s\n", plural(l.total))
	}
}

func rowsOf(page client.Page) []connection.Row {
	rows := make([]connection.Row, len(page.Rows))
	for i, row := range page.Rows {
		rows[i] = row
	}
	return rows
}

// rowsOf is rowsOf with the fields by which tables know addresses of either family and
// protocols: rows of all fields, which wide asks for, have them under other names.
func (l *listing) rowsOf(page client.Page) []connection.Row {
	rows := rowsOf(page)
	if l.format != "wide" || len(l.fields) > 0 {
		return rows
	}
	for _, row := range rows {
		if n, ok := row.Number("orig_l4proto"); ok && n <= 255 {
			row["proto"] = table.ProtocolName(uint8(n))
		}
		for _, end := range []string{"orig_src", "orig_dst", "repl_src", "repl_dst"} {
			for _, family := range []string{"_ipv4_", "_ipv6_"} {
				if addr, ok := row[strings.Replace(end, "_", family, 1)]; ok {
					row[end] = addr
				}
			}
		}
	}
	return rows
}

// plural counts connections.
func plural(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}
