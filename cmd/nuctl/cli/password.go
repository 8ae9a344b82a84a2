// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"nuconntrack/cmd/nuctl/profile"
)

const (
	// maxPassword is how much of a password file or the output of a command is read, in bytes.
	maxPassword = 4096
	// passwordTime is how long a password command may take: it may ask for a passphrase.
	passwordTime = 2 * time.Minute
)

// storedPassword gives the password of file or command; found is false if neither is set.
func (a *app) storedPassword(ctx context.Context, s profile.Settings) (password string, found bool, err error) {
	file, command := s.Text(profile.PasswordFile), s.Text(profile.PasswordCommand)
	switch {
	case file != "":
		password, err = a.readPasswordFile(file)
	case command != "":
		password, err = a.runPasswordCommand(ctx, command)
	default:
		return "", false, nil
	}
	return password, err == nil, err
}

// readPasswordFile takes the first line.
func (a *app) readPasswordFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", usagef("read password: %w", err)
	}
	defer file.Close()
	a.warnReadable(path, "password")
	password, err := firstLine(file)
	if err != nil {
		return "", usagef("read password from %q: %w", path, err)
	}
	return password, nil
}

// warnReadable warns of a regular file that others may read, as what is in it is no longer a
// secret. It is no error: many systems that hand out secrets make such files, in folders that
// nobody else may enter.
func (a *app) warnReadable(path, what string) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0 {
		a.warn(fmt.Sprintf("everybody on this machine may use the %s in %q: chmod 600 it", what, path))
	}
}

// runPasswordCommand runs a command by the shell, as password managers are asked in
// pipes. It ends with ctx and after passwordTime.
func (a *app) runPasswordCommand(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, passwordTime)
	defer cancel()
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
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", usagef("run password command: it took longer than %v", passwordTime)
		}
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
