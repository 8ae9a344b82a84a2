// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"nuconntrack/cmd/nuctl/client"
)

// Environment variables.
const (
	envServer       = "NUCTL_SERVER"
	envUser         = "NUCTL_USER"
	envPasswordFile = "NUCTL_PASSWORD_FILE"
)

// maxPassword is how much of a password file or the output of a command is read, in bytes.
const maxPassword = 4096

// settings say where to connect and as whom. Flags come before the environment.
type settings struct {
	server, user, passwordFile, passwordCommand string
	timeout                                     time.Duration
}

func (s *settings) flags(f *pflag.FlagSet) {
	f.StringVar(&s.server, "server", "", "URL of the server, or unix:/path of its socket (environment "+envServer+"; else "+client.DefaultServer+")")
	f.StringVar(&s.user, "user", "", "user to log in as (environment "+envUser+")")
	f.StringVar(&s.passwordFile, "password-file", "", "file whose first line is the password (environment "+envPasswordFile+")")
	f.StringVar(&s.passwordCommand, "password-command", "", "shell command that prints the password")
	f.DurationVar(&s.timeout, "timeout", client.DefaultTimeout, "how long one call may take")
}

func (a *app) address() (client.Address, error) {
	if a.settings.timeout <= 0 {
		return client.Address{}, usagef("--timeout must be more than 0")
	}
	address, err := client.ParseAddress(cmp.Or(a.settings.server, a.getenv(envServer), client.DefaultServer))
	if err != nil {
		return client.Address{}, &usageError{err}
	}
	return address, nil
}

func (a *app) user() string { return cmp.Or(a.settings.user, a.getenv(envUser)) }

// passwordFile is the file to read, empty if none is set or a command takes its place.
func (a *app) passwordFile() string {
	if a.settings.passwordFile != "" || a.settings.passwordCommand != "" {
		return a.settings.passwordFile
	}
	return a.getenv(envPasswordFile)
}

// storedPassword gives the password of file or command; found is false if neither is set.
func (a *app) storedPassword(ctx context.Context) (password string, found bool, err error) {
	file, command := a.passwordFile(), a.settings.passwordCommand
	switch {
	case file != "" && command != "":
		return "", false, usagef("--password-file and --password-command exclude each other")
	case file != "":
		password, err = a.readPasswordFile(file)
	case command != "":
		password, err = a.runPasswordCommand(ctx, command)
	default:
		return "", false, nil
	}
	return password, err == nil, err
}

// readPasswordFile takes the first line. A regular file that others may read gets a
// warning, as the password in it is no longer a secret.
func (a *app) readPasswordFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", usagef("read password: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0 {
		a.warn(fmt.Sprintf("everybody on this machine may use the password in %q: chmod 600 it", path))
	}
	password, err := firstLine(file)
	if err != nil {
		return "", usagef("read password from %q: %w", path, err)
	}
	return password, nil
}

func (a *app) runPasswordCommand(ctx context.Context, command string) (string, error) {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	// It may ask for a passphrase of its own.
	cmd.Stdin, cmd.Stderr = a.stdin, a.stderr
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("run password command: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", usagef("run password command: %w", err)
	}
	password, readErr := firstLine(out)
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		return "", usagef("run password command: %w", err)
	}
	if readErr != nil {
		return "", usagef("read password from the command: %w", readErr)
	}
	return password, nil
}

// firstLine reads a password. It is never part of the error.
func firstLine(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPassword+1))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	line = strings.TrimSuffix(line, "\r")
	switch {
	case line == "":
		return "", errors.New("the first line is empty")
	case len(line) > maxPassword:
		return "", fmt.Errorf("the first line has more than %d bytes", maxPassword)
	}
	return line, nil
}
