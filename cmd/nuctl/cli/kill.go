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

// maxKey is the length of a key, in bytes; the server's have about a hundred.
const maxKey = 512

func (a *app) kill() *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:   "kill ID|KEY...",
		Short: "kill connections",
		Long: `Kill connections, named by the ID that 'nuctl list' shows or by their key ('nuctl list --fields
key,orig_src,orig_dst'): an id is nearly, a key quite unique. More than one asks first. Whether the peers
may go on with new packets is up to the rules of the firewall.`,
		Args: arguments(1, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runKill(cmd.Context(), args, yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) runKill(ctx context.Context, args []string, yes bool) error {
	targets, err := parseTargets(args)
	if err != nil {
		return err
	}
	if len(targets) > 1 {
		if err := a.confirm(ctx, yes, fmt.Sprintf("Kill %d connections?", len(targets))); err != nil {
			return err
		}
	}
	return a.withSession(ctx, func(s *client.Session) error {
		if err := s.Kill(ctx, targets); err != nil {
			return err
		}
		noun := "connections"
		if len(targets) == 1 {
			noun = "connection"
		}
		_, err := fmt.Fprintf(a.stdout, "%d %s killed\n", len(targets), noun)
		return err
	})
}

// parseTargets checks ids and keys and drops duplicates.
func parseTargets(args []string) ([]string, error) {
	if len(args) > client.MaxTargets {
		return nil, usagef("%d connections at once: no more than %d can be named", len(args), client.MaxTargets)
	}
	seen := map[string]bool{}
	var targets []string
	for _, arg := range args {
		target, err := parseTarget(arg)
		if err != nil {
			return nil, err
		}
		if !seen[target] {
			seen[target] = true
			targets = append(targets, target)
		}
	}
	return targets, nil
}

// parseTarget takes an id, decimal and of 32 bits, or what may be a key: that is
// opaque, but safe in URLs and never a number.
func parseTarget(arg string) (string, error) {
	foreign := func(r rune) bool {
		return !strings.ContainsRune("-_.~", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if arg == "" || len(arg) > maxKey || strings.ContainsFunc(arg, foreign) || strings.HasPrefix(arg, "-") {
		return "", usagef("%q is neither the id nor the key of a connection", arg)
	}
	if arg[0] < '0' || arg[0] > '9' {
		return arg, nil
	}
	id, err := strconv.ParseUint(arg, 10, 32)
	if err != nil {
		return "", usagef("%q is not the id of a connection, a decimal number below 2^32", arg)
	}
	return strconv.FormatUint(id, 10), nil
}
