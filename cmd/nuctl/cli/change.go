// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
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
		Args: arguments(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.changeMark(cmd.Context(), args[0], args[1]) },
	}
	timeout := &cobra.Command{
		Use:   "timeout ID|KEY SECONDS",
		Short: "fix when a connection ends",
		Long: `Fix the timeout of a connection: it ends after so many seconds, whatever passes. The kernel
stops renewing the timeout and takes no second one, so this cannot be undone.`,
		Args: arguments(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeTimeout(cmd.Context(), args[0], args[1], yes)
		},
	}
	timeout.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return group("change", "change the mark or the timeout of a connection", mark, timeout)
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
	return a.runChange(ctx, "mark", target, value, "mark changed")
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
	question := fmt.Sprintf("The connection will end in %d seconds, whatever passes; this cannot be undone. Go on?", seconds)
	if err := a.confirm(ctx, yes, question); err != nil {
		return err
	}
	return a.runChange(ctx, "timeout", target, strconv.FormatUint(seconds, 10), "timeout fixed")
}

func (a *app) runChange(ctx context.Context, field, target, value, done string) error {
	return a.withSession(ctx, func(s *client.Session) error {
		if err := s.Change(ctx, field, target, value); err != nil {
			return err
		}
		_, err := fmt.Fprintln(a.stdout, done)
		return err
	})
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
