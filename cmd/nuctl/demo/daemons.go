// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	privdName  = "nuconntrack-privd"
	frontdName = "nuconntrack-frontd"

	// daemonGrace is how long a daemon may take to end after SIGTERM, before it is killed.
	daemonGrace = 3 * time.Second
	// socketPoll is how often it is looked whether privd listens yet.
	socketPoll = 10 * time.Millisecond
	// socketDeadline is how long privd may take until then.
	socketDeadline = 10 * time.Second
)

// daemons are the paths of the two programs.
type daemons struct {
	privd, frontd string
}

// findDaemons looks in dir, or, if that is empty, beside this program and then in PATH.
func findDaemons(dir string) (daemons, error) {
	folders := []string{dir}
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return daemons{}, fmt.Errorf("find daemons: %w", err)
		}
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		folders = append([]string{filepath.Dir(self)}, filepath.SplitList(os.Getenv("PATH"))...)
	}
	privd, err := findIn(folders, privdName)
	if err != nil {
		return daemons{}, err
	}
	frontd, err := findIn(folders, frontdName)
	if err != nil {
		return daemons{}, err
	}
	return daemons{privd: privd, frontd: frontd}, nil
}

func findIn(folders []string, name string) (string, error) {
	for _, folder := range folders {
		if folder == "" {
			continue // a PATH element that means the current folder: not for us
		}
		path, err := filepath.Abs(filepath.Join(folder, name))
		if err != nil {
			return "", fmt.Errorf("find %s: %w", name, err)
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("find %s: not in %s and, but for --bin-dir, not in PATH; build it (make) or say where it is with --bin-dir", name, folders[0])
}

func privdCommand(bins daemons, p place) *exec.Cmd {
	return exec.Command(bins.privd, "--policy", p.policy(), "--socket", p.socket(),
		"--peer-user", p.setting.peer, "--user", p.setting.privd, "--audit", p.setting.audit)
}

// frontdCommand is frontd, by way of handOver, with the listener as descriptor 3.
func frontdCommand(bins daemons, p place, listener *os.File) *exec.Cmd {
	cmd := exec.Command(ownExecutable, "demo", "hand-over", bins.frontd, "--config", p.frontdConfig())
	cmd.Args[0] = "nuctl"
	cmd.ExtraFiles = []*os.File{listener}
	return cmd
}

// runDaemon runs a daemon until the context ends. One that ends before is an error
// that quotes its last words. Nothing of the user's environment is passed on: a NOTIFY_SOCKET
// or JOURNAL_STREAM in it would be those of somebody else.
func runDaemon(ctx context.Context, name string, cmd *exec.Cmd, logPath string) error {
	log, err := openLog(logPath)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = daemonGrace // for its last words to be read
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			err = errors.New("exit status 0")
		}
		return fmt.Errorf("%s ended by itself: %w: %s", name, err, log.tail())
	case <-ctx.Done():
	}
	cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(daemonGrace, func() { cmd.Process.Kill() })
	defer timer.Stop()
	<-ended
	return nil
}

// waitSocket waits until privd listens. If it does not in time, frontd is started all the same:
// it tells whoever calls what is wrong.
func waitSocket(ctx context.Context, path string) (goOn bool) {
	deadline := time.NewTimer(socketDeadline)
	defer deadline.Stop()
	poll := time.NewTicker(socketPoll)
	defer poll.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return true
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
