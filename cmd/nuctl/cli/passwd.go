// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/cmd/nuctl/prompt"
	"nuconntrack/frontd/auth/passwd"
)

const (
	// defaultPasswd is the file that the packages' configuration names.
	defaultPasswd = "/etc/nuconntrack/passwd"
	// lockTimeout is how long to wait for another editor of the file.
	lockTimeout = 10 * time.Second
)

// passwdFlags are the flags of passwd.
type passwdFlags struct {
	file, hash          string
	remove, list, stdin bool
}

func (a *app) passwd() *cobra.Command {
	p := passwdFlags{}
	cmd := &cobra.Command{
		Use:   "passwd [USER]",
		Short: "add, change, remove or list the users of a password file",
		Long: `Set the password of a user in the server's password file, adding the user if there is none of
that name. The password is asked for twice, or read from standard input with --stdin. The server sees the
change at the next login. This works on a file of this machine, no server is asked.`,
		Example: `  nuctl passwd alice
  nuctl passwd --delete alice
  nuctl passwd --list`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runPasswd(cmd.Context(), p, args) },
	}
	f := cmd.Flags()
	f.StringVar(&p.file, "file", defaultPasswd, "the password file")
	f.StringVar(&p.hash, "hash", "argon2id", "how to store the password: argon2id or bcrypt")
	f.BoolVar(&p.remove, "delete", false, "remove the user")
	f.BoolVar(&p.list, "list", false, "list the users")
	f.BoolVar(&p.stdin, "stdin", false, "read the password, one line, from standard input")
	return cmd
}

func (a *app) runPasswd(ctx context.Context, p passwdFlags, args []string) error {
	kind, ok := map[string]passwd.Kind{"argon2id": passwd.Argon2id, "bcrypt": passwd.Bcrypt}[p.hash]
	switch {
	case !ok:
		return usagef("--hash %q: must be argon2id or bcrypt", p.hash)
	case p.remove && p.list, p.remove && p.stdin, p.list && p.stdin:
		return usagef("--delete, --list and --stdin exclude each other")
	case p.list && len(args) > 0:
		return usagef("--list takes no user")
	case p.list:
		return a.listUsers(p.file)
	case len(args) == 0:
		return usagef("which user?")
	}
	user := args[0]
	if err := passwd.CheckName(user); err != nil {
		return &usageError{err}
	}
	if p.remove {
		return a.removeUser(ctx, p.file, user)
	}
	password, err := a.newPassword(ctx, p, user)
	if err != nil {
		return err
	}
	if err := passwd.CheckPassword(password, kind); err != nil {
		return &usageError{err}
	}
	hash, err := passwd.Hash(password, kind)
	if err != nil {
		return err
	}
	return a.setUser(ctx, p.file, user, hash)
}

// newPassword asks twice, or reads the one line that --stdin promises.
func (a *app) newPassword(ctx context.Context, p passwdFlags, user string) (string, error) {
	if p.stdin {
		password, err := firstLine(a.stdin)
		if err != nil {
			return "", usagef("read password from standard input: %w", err)
		}
		return password, nil
	}
	terminal, err := prompt.Open(a.stdin)
	if err != nil {
		return "", usagef("there is no terminal to ask for the password at: give it on standard input with --stdin")
	}
	defer terminal.Close()
	password, err := terminal.Secret(ctx, fmt.Sprintf("New password of %s: ", output.Clean(user)))
	if err != nil {
		return "", err
	}
	again, err := terminal.Secret(ctx, "Once more: ")
	if err != nil {
		return "", err
	}
	if password != again {
		return "", errors.New("the passwords differ, nothing was changed")
	}
	return password, nil
}

func (a *app) setUser(ctx context.Context, path, user, hash string) error {
	done := "added"
	err := a.edit(ctx, path, func(f *passwd.File) error {
		if _, _, ok := f.Lookup(user); ok {
			done = "changed"
		}
		return f.Set(user, hash)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "user %s %s\n", output.Clean(user), done)
	return err
}

func (a *app) removeUser(ctx context.Context, path, user string) error {
	err := a.edit(ctx, path, func(f *passwd.File) error {
		if !f.Delete(user) {
			return fmt.Errorf("there is no user %q in %q", user, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "user %s removed\n", output.Clean(user))
	return err
}

// edit is passwd.Edit with a bounded wait, and with a word on what to do about its failures.
func (a *app) edit(ctx context.Context, path string, change func(*passwd.File) error) error {
	limited, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	err := passwd.Edit(limited, path, func(f *passwd.File) error {
		a.warnProblems(f)
		return change(f)
	})
	return withAdvice(err)
}

func (a *app) listUsers(path string) error {
	file, _, err := passwd.Open(path)
	if err != nil {
		return withAdvice(err)
	}
	defer file.Close()
	data, err := passwd.ReadAll(file)
	if err != nil {
		return err
	}
	parsed, err := passwd.Parse(data)
	if err != nil {
		return err
	}
	a.warnProblems(parsed)
	var b strings.Builder
	for _, user := range parsed.Users() {
		kind := passwd.Kind(0)
		hash, line, _ := parsed.Lookup(user)
		digest, err := passwd.ParseDigest(hash)
		if err != nil {
			a.warn(fmt.Sprintf("line %d: %s cannot log in: %v", line, user, err))
		} else {
			kind = digest.Work().Kind
		}
		fmt.Fprintf(&b, "%s\t%s\n", output.Clean(user), kind)
	}
	_, err = fmt.Fprint(a.stdout, b.String())
	return err
}

func (a *app) warnProblems(f *passwd.File) {
	for _, problem := range f.Problems() {
		a.warn(problem.Error())
	}
}

// withAdvice adds what to do about it to an error of the password file.
func withAdvice(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &advisedError{err, "the file is the administrator's: run this with sudo, or name another with --file"}
	case errors.Is(err, fs.ErrNotExist):
		return &advisedError{err, "name the file with --file; its folder must exist"}
	case errors.Is(err, context.DeadlineExceeded):
		return &advisedError{err, "'fuser' with the folder's name says who holds it"}
	}
	return err
}
