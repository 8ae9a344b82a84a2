// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
)

func (a *app) whoami() *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "show whom the server takes you for, and what your role permits",
		Long:  `Log in, show the user, the role and the methods that it permits, and log out.`,
		Args:  arguments(0, -1),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withSession(cmd.Context(), func(s *client.Session) error {
				who, err := s.Whoami(cmd.Context())
				if err != nil {
					return err
				}
				w := a.columns()
				fmt.Fprintf(w, "user\t%s\nrole\t%s\nmethods\t%s\n", shown(who.User), shown(who.Role), shown(strings.Join(who.Methods, " ")))
				return w.Flush()
			})
		},
	}
}
