// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/export"
	"nuconntrack/cmd/nuctl/output"
)

// exporting is what the flags of export say.
type exporting struct {
	filters   filterFlags
	format    string
	path      string
	overwrite bool
	noHeader  bool
	fields    []string
}

// stdoutPath is the path that stands for standard output.
const stdoutPath = "-"

func (a *app) export() *cobra.Command {
	x := exporting{}
	cmd := &cobra.Command{
		Use:   "export [EXPR…]",
		Short: "write the whole table, as it was at one moment, into a file",
		Long: `Write all connections that match, with every field and exact, one a line. All are of one table,
however many pages that takes. A file is there whole or not at all, for its owner alone to read;
what goes to standard output is whole if the exit code is 0.

The expression and the filters are those of 'nuctl list'.`,
		Example: `  nuctl export --file table.jsonl
  nuctl export -o csv --file web.csv dport 80,443 and not state established
  nuctl export --fields orig_src,orig_dst,byte_rate | jq -r .orig_src | sort | uniq -c`,
		ValidArgsFunction: completeExpression,
		RunE: func(cmd *cobra.Command, args []string) error {
			x.filters.expr = args
			return a.runExport(cmd.Context(), x)
		},
	}
	f := cmd.Flags()
	x.filters.flags(f)
	f.StringVarP(&x.format, "output", "o", "jsonl", "`FORMAT`: jsonl, csv")
	f.StringVar(&x.path, "file", stdoutPath, "`FILE` to make; - is standard output")
	f.BoolVar(&x.overwrite, "overwrite", false, "write over a file that is there")
	f.BoolVarP(&x.noHeader, "no-header", "H", false, "leave out the line of titles of csv")
	f.StringSliceVar(&x.fields, "fields", nil, "only these `FIELDS`, separated by commas")
	completeFlag(cmd, "fields", completeFields)
	completeFlag(cmd, "output", completeWords("jsonl", "csv"))
	completeFilters(cmd)
	return cmd
}

func (a *app) runExport(ctx context.Context, x exporting) error {
	filters, err := x.filters.compile()
	switch {
	case err != nil:
		return err
	case x.format != "jsonl" && x.format != "csv":
		return usagef("output format %q is none of jsonl, csv", x.format)
	case x.path == "":
		return usagef("--file must not be empty")
	case x.overwrite && x.path == stdoutPath:
		return usagef("--overwrite is for --file")
	}
	q := client.Query{Filters: filters, Fields: x.fields}
	if x.path == stdoutPath {
		out := bufio.NewWriter(a.stdout)
		return a.exportTo(ctx, x, q, out, out.Flush)
	}
	file, err := export.Create(x.path, x.overwrite)
	if errors.Is(err, export.ErrExists) {
		return &usageError{fmt.Errorf("%w: give another name, or --overwrite", err)}
	}
	if err != nil {
		return &usageError{err}
	}
	defer file.Abort()
	return a.exportTo(ctx, x, q, file, file.Commit)
}

// exportTo writes all that match and commits it if it is whole.
func (a *app) exportTo(ctx context.Context, x exporting, q client.Query, out io.Writer, commit func() error) error {
	counted := &counter{out: out}
	writer, err := output.New(output.Config{Format: x.format, Out: counted, Fields: x.fields, NoHeader: x.noHeader})
	if err != nil {
		return &usageError{err}
	}
	bar := export.Bar{}
	// On a terminal that shows the rows themselves it would stand between them.
	if isTerminal(a.stderr) && !(x.path == stdoutPath && isTerminal(a.stdout)) {
		bar.Out = a.stderr
	}
	var last client.Page
	rows := 0
	err = a.withSession(ctx, func(s *client.Session) error {
		defer bar.End()
		said := lister{app: a, holdBack: true}
		for page, err := range s.Pages(ctx, q) {
			if err != nil {
				return err
			}
			if rows > 0 && page.Total != last.Total {
				return fmt.Errorf("the server says that %d connections match, and said %d before, of one table", page.Total, last.Total)
			}
			if err := writer.Page(rowsOf(page)); err != nil {
				return fmt.Errorf("write export: %w", err)
			}
			rows += len(page.Rows)
			said.warn(page.Warnings...)
			bar.Show(rows, page.Total, counted.bytes)
			last = page
		}
		bar.End()
		said.sayNotes()
		return nil
	})
	if err != nil {
		return err
	}
	if rows != last.Total {
		return fmt.Errorf("the server gave %d of %d connections", rows, last.Total)
	}
	if err := writer.End(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	if err := commit(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	if x.path != stdoutPath {
		fmt.Fprintf(a.stderr, "nuctl: %s of %d, as of %s, in %s\n", plural(rows), last.Count, output.Clean(last.Taken), output.Clean(x.path))
	}
	return nil
}

// counter counts what passes through.
type counter struct {
	out   io.Writer
	bytes int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	c.bytes += int64(n)
	return n, err
}
