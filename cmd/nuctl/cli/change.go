// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
)

// maxTimeout is the longest timeout that the kernel's clock can hold, in seconds.
const maxTimeout = 2147483

func (a *app) change() *cobra.Command {
	yes := false
	mark := &cobra.Command{
		Use:   "mark ID|KEY VALUE[/MASK]",
		Short: "change the mark of a connection",
		Long: `Change the mark of a connection. VALUE and MASK are decimal or, after 0x, hexadecimal.
With a mask only its bits change; without one the mark becomes VALUE.`,
		Example: "  nuctl change mark 4066254881 0x10/0xf0",
		Args:    arguments(2, 2), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error { return a.changeMark(cmd.Context(), args[0], args[1]) },
	}
	timeout := &cobra.Command{
		Use:   "timeout ID|KEY SECONDS",
		Short: "fix when a connection ends",
		Long: `Fix the timeout of a connection: it ends after so many seconds, whatever passes. The kernel
stops renewing the timeout and takes no second one, so this cannot be undone.`,
		Example: "  nuctl change timeout 4066254881 60",
		Args:    arguments(2, 2), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeTimeout(cmd.Context(), args[0], args[1], yes)
		},
	}
	timeout.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	class := &cobra.Command{
		Use:   "class ID|KEY NAME",
		Short: "put a connection into a traffic class",
		Long: `Put a connection into a traffic class of the server's configuration: the bits of the mark by
which the class is known change, the others stay.`,
		Example: "  nuctl change class 4066254881 voice",
		Args:    arguments(2, 2), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error { return a.changeClass(cmd.Context(), args[0], args[1]) },
	}
	return group("change", "change the mark, the class or the timeout of a connection", mark, class, timeout)
}

func (a *app) changeClass(ctx context.Context, arg, name string) error {
	target, err := parseTarget(arg)
	if err != nil {
		return err
	}
	if name == "" {
		return usagef("class: the name is empty")
	}
	return a.withSession(ctx, func(s *client.Session) error {
		c := changing{app: a, session: s, target: target, field: "class", cell: classOf, more: []string{"class"}}
		if err := c.find(ctx); err != nil {
			return err
		}
		return c.change(ctx, name)
	})
}

// classOf is the class of a row, which not every mark has.
func classOf(row connection.Row) string {
	if name, ok := row.Text("class"); ok {
		return name
	}
	return "none"
}

func (a *app) changeMark(ctx context.Context, arg, value string) error {
	target, err := parseTarget(arg)
	if err != nil {
		return err
	}
	number, mask, masked := strings.Cut(value, "/")
	if !markLike(number) || masked && !markLike(mask) {
		return usagef("mark %q: must be VALUE or VALUE/MASK, each from 0 to 0xffffffff", value)
	}
	return a.withSession(ctx, func(s *client.Session) error {
		c := changing{app: a, session: s, target: target, field: "mark", cell: output.Mark}
		if err := c.find(ctx); err != nil {
			return err
		}
		return c.change(ctx, value)
	})
}

func (a *app) changeTimeout(ctx context.Context, arg, value string, yes bool) error {
	target, err := parseTarget(arg)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseUint(value, 10, 32)
	if err != nil || seconds < 1 || seconds > maxTimeout {
		return usagef("timeout %q: must be from 1 to %d seconds", value, maxTimeout)
	}
	question := fmt.Sprintf("The connection will end in %s, whatever passes; this cannot be undone. Go on?", output.Seconds(seconds))
	if !yes && !a.canAsk() {
		return a.cannotAsk(question)
	}
	return a.withSession(ctx, func(s *client.Session) error {
		c := changing{app: a, session: s, target: target, field: "timeout", cell: output.Expires}
		if err := c.find(ctx); err != nil {
			return err
		}
		if c.before != nil {
			question = a.described(c.before) + "\n" + question
		}
		if err := a.confirm(ctx, yes, question); err != nil {
			return err
		}
		return c.change(ctx, strconv.FormatUint(seconds, 10))
	})
}

// changing is a change of one field of one connection.
type changing struct {
	app     *app
	session *client.Session
	target  string
	field   string
	cell    func(connection.Row) string
	more    []string       // fields that cell needs and a summary lacks
	before  connection.Row // nil if the server finds none, or several
}

// find looks at the connection before the change, and takes its key for its id: the key
// cannot come to mean another one meanwhile. What is not found is the server's to refuse.
func (c *changing) find(ctx context.Context) error {
	row, err := c.look(ctx)
	if err != nil || row == nil {
		return err
	}
	c.before = row
	if key, ok := row.Text("key"); ok {
		if key, err := parseTarget(key); err == nil {
			c.target = key
		}
	}
	return nil
}

func (c *changing) look(ctx context.Context) (connection.Row, error) {
	query := client.Query{Filters: map[string]any{fieldOf(c.target): c.target}, Fields: append(append(connection.Summary(), "key"), c.more...)}
	page, err := c.session.Window(ctx, query, 0, 2, "")
	if err != nil || len(page.Rows) != 1 {
		return nil, err
	}
	return page.Rows[0], nil
}

// change changes it and says what the kernel holds now.
func (c *changing) change(ctx context.Context, value string) error {
	if err := c.session.Change(ctx, c.field, c.target, value); err != nil {
		return lost(err, maybeChanged)
	}
	if err := c.session.Refresh(ctx); err != nil {
		return err
	}
	now, err := c.look(ctx)
	if err != nil {
		return err
	}
	text := c.field + " changed; the connection has ended since"
	if now != nil {
		text = fmt.Sprintf("%s is %s now", c.field, c.cell(now))
		if c.before != nil {
			text += ", was " + c.cell(c.before)
		}
		text += ": " + c.app.described(now)
	}
	_, err = fmt.Fprintln(c.app.stdout, text)
	return err
}

// markLike says whether a text is a decimal or hexadecimal number of 32 bits.
func markLike(text string) bool {
	digits, base := text, 10
	if rest, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		digits, base = rest, 16
	}
	_, err := strconv.ParseUint(digits, base, 32)
	return err == nil
}
