// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/cmd/nuctl/profile"
	"nuconntrack/cmd/nuctl/prompt"
)

// warn tells the user something that does not stop the command. The text may be the network's.
func (a *app) warn(text string) {
	fmt.Fprintln(a.stderr, "nuctl: warning: "+output.Clean(text))
}

// withSession logs in, does the work, and logs out, whatever the work ends with.
func (a *app) withSession(ctx context.Context, work func(*client.Session) error) error {
	w, err := a.way()
	if err != nil {
		return err
	}
	return a.withSessionBy(ctx, w, work)
}

func (a *app) withSessionBy(ctx context.Context, w way, work func(*client.Session) error) error {
	c := client.New(w.config)
	defer c.Close()
	session, err := a.login(ctx, c, w)
	if err != nil {
		return err
	}
	// A session that cannot be closed ends by itself in seconds.
	defer func() { _ = session.Close() }()
	return work(session)
}

// login logs in with what is set. Servers that ask for no password are asked first when no
// user is named; only where that fails is the person at the terminal.
func (a *app) login(ctx context.Context, c *client.Client, w way) (*client.Session, error) {
	user := w.settings.Text(profile.User)
	password, found, err := a.storedPassword(ctx, w.settings)
	if err != nil {
		return nil, err
	}
	if found && user == "" {
		return nil, usagef("there is a password but no user: give --user or NUCTL_USER, or user in the profile")
	}
	if found {
		a.warnPlain(w.address)
		return c.Login(ctx, user, password)
	}
	terminal, err := prompt.Open(a.stdin)
	if err != nil {
		return c.Login(ctx, user, "")
	}
	defer terminal.Close()
	if user == "" {
		session, err := c.Login(ctx, "", "")
		if !denied(err) {
			return session, err
		}
		if user, err = terminal.Line(ctx, fmt.Sprintf("User for %s: ", output.Clean(w.address.String()))); err != nil {
			return nil, err
		}
	}
	a.warnPlain(w.address)
	password, err = terminal.Secret(ctx, fmt.Sprintf("Password of %s: ", output.Clean(user)))
	if err != nil {
		return nil, err
	}
	return c.Login(ctx, user, password)
}

func (a *app) warnPlain(address client.Address) {
	if address.Plain() {
		a.warn(fmt.Sprintf("the password crosses the network unencrypted on its way to %s: use https, or a tunnel to its loopback address", address))
	}
}

// denied says that a name and password might help.
func denied(err error) bool {
	var call *client.Error
	return errors.As(err, &call) && (call.Kind == client.Faulted && call.Code == client.FaultAuthentication || call.Basic)
}

// confirm asks before something that cannot be taken back. Without --yes and without
// a terminal it is an error: a script must say what it means.
func (a *app) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	terminal, err := prompt.Open(a.stdin)
	if err != nil {
		return a.cannotAsk(question)
	}
	defer terminal.Close()
	agreed, err := terminal.Confirm(ctx, question)
	if err != nil {
		return err
	}
	if !agreed {
		return errors.New("nothing was done")
	}
	return nil
}
