// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import "github.com/spf13/cobra"

// HostCommand returns `nuctl host`: the same two daemons, over this machine's own table. It needs
// root to start them, and they do not stay root.
func HostCommand() *cobra.Command {
	cfg := config{host: true}
	cmd := &cobra.Command{
		Use:   "host",
		Short: "try NuConntrack on this machine's own connections, as root",
		Long: `Start both daemons over this machine's own connection table, on loopback, with a new password
and a policy that protects ssh; print how to log in, and wait for Ctrl-C. Changes neither the
firewall nor any setting, and leaves nothing behind.

Needs root, which both daemons give up at once: the helper becomes nuconntrack-privd and keeps
CAP_NET_ADMIN alone, the front daemon becomes nuconntrack and keeps nothing. Where these users
do not exist, bin (or sys) and daemon (or games) stand in for them; the output says who it is.`,
		Args: noArguments,
		RunE: cfg.runE,
	}
	cfg.flags(cmd.Flags())
	return cmd
}
