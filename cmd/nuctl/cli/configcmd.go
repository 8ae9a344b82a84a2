// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/cmd/nuctl/profile"
)

func (a *app) profilesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "profiles",
		Short: "list the firewalls of the file of settings",
		Long: `List the firewalls of the file of settings, which --profile takes; * is the one that is asked
when nothing else is said. The file is ~/.config/nuctl/config.toml, or ` + profile.SystemFile + ` for
all users of the machine:

  default = "edge"

  [profile.edge]
  server           = "https://edge.example.org/RPC2"
  user             = "alice"
  password_command = "pass show firewall/edge"

  [profile.core]
  server    = "https://10.0.0.1:8580"
  ca_file   = "ca.pem"
  cert_file = "alice.pem"

  [profile.here]
  server = "unix:/run/nuconntrack/frontd.sock"

Keys are those of the flags: ` + keyNames() + `.
Paths are relative to the file. It has no place for a password.`,
		Args: arguments(0, -1),
		RunE: func(*cobra.Command, []string) error { return a.runProfiles() },
	}
}

func keyNames() string {
	var all []string
	for _, k := range profile.Keys() {
		all = append(all, k.Name)
	}
	return strings.Join(all, ", ")
}

func (a *app) runProfiles() error {
	set, err := a.profiles()
	if err != nil {
		return err
	}
	if len(set.Profiles) == 0 {
		fmt.Fprintln(a.stderr, "nuctl: there are no profiles: 'nuctl profiles --help' shows how to write some")
		return nil
	}
	w := a.columns()
	fmt.Fprintln(w, "\tPROFILE\tSERVER\tUSER\tFILE")
	for _, p := range set.Profiles {
		mark := ""
		if p.Name == set.Default {
			mark = "*"
		}
		fmt.Fprintln(w, strings.Join([]string{mark, p.Name, shown(p.Values[profile.Server]), shown(p.Values[profile.User]), shown(p.File)}, "\t"))
	}
	return w.Flush()
}

// columns aligns lines of words that tabs part.
func (a *app) columns() *tabwriter.Writer { return tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0) }

// shown is a text for a table of words.
func shown(text string) string {
	if text == "" {
		return "-"
	}
	return output.Clean(text)
}

func (a *app) configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "show the connection settings that hold, and where they come from",
		Long: `Show the connection settings that hold with these flags, in this environment, and where each
comes from: the command line, then a profile that it names or else the environment, then the
profile that NUCTL_PROFILE names or the default one. The default profile counts only where nothing
else says which server to ask. Nothing is connected to, and no password is read.`,
		Args: arguments(0, -1),
		RunE: func(*cobra.Command, []string) error { return a.runConfig() },
	}
}

func (a *app) runConfig() error {
	// All that is wrong with the settings is said, as a command that connects would.
	if _, err := a.way(); err != nil {
		return err
	}
	s, err := a.inForce()
	if err != nil {
		return err
	}
	if _, ok := s[profile.Server]; !ok {
		s[profile.Server] = profile.Value{Text: client.DefaultServer, From: "built in"}
	}
	if _, ok := s[profile.Timeout]; !ok {
		s[profile.Timeout] = profile.Value{Text: client.DefaultTimeout.String(), From: "built in"}
	}
	w := a.columns()
	for _, k := range profile.Keys() {
		v, ok := s[k.Name]
		if !ok {
			continue
		}
		if k.Name == profile.PasswordCommand {
			v.Text = "(set; not shown)" // it may hold what it should not
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Name, output.Clean(v.Text), output.Clean(v.From))
	}
	return w.Flush()
}

// checkConfig looks at the settings as a command that connects would.
func (a *app) checkConfig() error {
	w, err := a.way()
	if err != nil {
		return err
	}
	if path := w.settings.Text(profile.PasswordFile); path != "" {
		if _, err := a.readPasswordFile(path); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.stdout, "settings are usable, the server is %s\n", w.address)
	return err
}
