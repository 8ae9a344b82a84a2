// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/doctor"
)

// errSerious ends doctor after all was said.
var errSerious = errors.New("something is serious")

func (a *app) doctor() *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "say what makes answers or kills weaker than they seem",
		Long: `Ask the server, and its helper, what makes lists or kills weaker than they seem: no accounting
or timestamps, killed connections that may come back, a table that is nearly full, connections
that the kernel dropped or refused, offloaded ones, a role that permits less, clocks that differ,
an unencrypted way. For each it says what follows, what mends it and what that costs. Nothing
is changed.

Exit code 0: nothing is serious; 1: something is, or the server cannot be reached; 2 and 4 as ever.`,
		Args: arguments(0, -1),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return usagef("output format %q is none of text, json", format)
			}
			return a.runDoctor(cmd.Context(), format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "`FORMAT`: text, json")
	completeFlag(cmd, "output", completeWords("text", "json"))
	return cmd
}

func (a *app) runDoctor(ctx context.Context, format string) error {
	w, err := a.way()
	if err != nil {
		return err
	}
	return a.withSessionBy(ctx, w, func(s *client.Session) error {
		facts, err := askAll(ctx, s, w.address)
		if err != nil {
			return err
		}
		findings := doctor.Examine(facts)
		write := a.writeFindings
		if format == "json" {
			write = a.writeFindingsJSON
		}
		if err := write(facts, findings); err != nil {
			return err
		}
		if doctor.IsSerious(findings) {
			return errSerious
		}
		return nil
	})
}

// askAll asks for all facts. What the server refuses or cannot tell is a fact too; the error
// is of a server that does not answer as one.
func askAll(ctx context.Context, s *client.Session, address client.Address) (doctor.Facts, error) {
	f := doctor.Facts{Server: address.String(), Plain: address.Plain(), Uncounted: -1, Undated: -1, Offloaded: -1}
	who, err := s.Whoami(ctx)
	if f.WhoamiErr, err = refused(err); err != nil {
		return f, err
	}
	f.User, f.Role, f.Methods = who.User, who.Role, who.Methods
	if f.WhoamiErr != "" || slices.Contains(who.Methods, "stats") {
		stats, err := s.Stats(ctx)
		if isFault(err, client.FaultHelper) {
			f.HelperAway = true
		}
		if f.StatsErr, err = refused(err); err != nil {
			return f, err
		}
		if stats != nil {
			f.Stats = connection.Row(stats)
		}
	}
	return f, askTable(ctx, s, &f)
}

// askTable asks for a table that is read now, and counts in it.
func askTable(ctx context.Context, s *client.Session, f *doctor.Facts) error {
	err := s.Refresh(ctx)
	f.Asked = time.Now()
	var page client.Page
	if err == nil || isFault(err, client.FaultPermission) {
		page, err = s.Window(ctx, client.Query{}, 0, 0, "")
	}
	f.Heard = time.Now()
	f.HelperAway = f.HelperAway || isFault(err, client.FaultHelper)
	if f.ViewErr, err = refused(err); err != nil || f.ViewErr != "" {
		return err
	}
	f.Warnings, f.Count = page.Warnings, page.Count
	f.Taken, _ = time.Parse(time.RFC3339, page.Taken) // the zero time if it is none
	for _, c := range []struct {
		into    *int
		filters map[string]any
		rest    bool // what does not match is counted
	}{
		{&f.Offloaded, map[string]any{"offload": true}, false},
		{&f.Uncounted, map[string]any{"orig_counter_packets": ">=0"}, true},
		{&f.Undated, map[string]any{"age": ">=0"}, true},
	} {
		part, err := s.Window(ctx, client.Query{Filters: c.filters}, 0, 0, page.Snapshot)
		text, err := refused(err)
		switch {
		case err != nil:
			return err
		case text != "": // stays unknown
		case c.rest:
			*c.into = max(page.Count-part.Total, 0)
		default:
			*c.into = part.Total
		}
	}
	return nil
}

// refused takes a fault for a fact, with its text. The end of the session is an error as
// all others are.
func refused(err error) (text string, other error) {
	var call *client.Error
	if !errors.As(err, &call) || call.Kind != client.Faulted || call.Code == client.FaultSession {
		return "", err
	}
	if call.Text == "" {
		return "it failed", nil
	}
	return call.Text, nil
}

func isFault(err error, code int) bool {
	var call *client.Error
	return errors.As(err, &call) && call.Kind == client.Faulted && call.Code == code
}
