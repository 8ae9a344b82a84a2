// SPDX-License-Identifier: GPL-2.0-or-later

// Package sandbox takes from the front daemon, for good, what it does not need: Landlock
// leaves it a few folders to read, no TCP to bind or connect but to ports named, no abstract Unix sockets
// and no signals to other processes. Descriptors that are open stay usable. What Landlock
// does not know, UDP and multipath TCP among it, stays to be taken by the service's unit,
// which has no network at all. It runs once, before anything is served; its input is the
// configuration.
package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// wholeABI is the version of Landlock from which on all is restricted that this package
// restricts: 6, of Linux 6.12. A later one would also decide about connecting to the
// helper's socket, whose folder may be made anew at any time.
const wholeABI = 6

// Config says what stays allowed.
type Config struct {
	// Read are files that will be read later. Files are replaced by new ones, so what is
	// allowed is the folder of each; the folder itself must stay.
	Read []string
	// Remove are Unix sockets of the daemon's own, which it removes when it ends.
	Remove []string
	// Connect are TCP ports of other machines that will be connected to; nil: none.
	Connect []uint16
	Log     *slog.Logger
}

// Restrict does it, for all threads. A kernel with less than all of Landlock gets the most
// that it can do, and a warning that says so; without any Landlock that is nothing.
func Restrict(cfg Config) error {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < 1 {
		cfg.Log.Warn("this kernel has no Landlock: the files that the daemon may read are not restricted")
		return nil
	}
	if abi < wholeABI {
		cfg.Log.Warn("this kernel has an old Landlock: not everything is restricted", "abi", abi, "wanted", wholeABI)
	}
	read, err := folders(cfg.Read)
	if err != nil {
		return err
	}
	remove, err := folders(cfg.Remove)
	if err != nil {
		return err
	}
	rules := []landlock.Rule{
		landlock.RODirs(read...),
		landlock.PathAccess(landlock.AccessFSSet(ll.AccessFSRemoveFile), remove...),
	}
	for _, port := range cfg.Connect {
		rules = append(rules, landlock.ConnectTCP(port))
	}
	err = landlock.V6.BestEffort().Restrict(rules...)
	if err != nil {
		return fmt.Errorf("restrict by Landlock: %w", err)
	}
	cfg.Log.Info("sandbox installed", "landlock_abi", abi, "reads", read, "removes", remove, "connects", cfg.Connect)
	return nil
}

// folders are where files stand, by the name given and where that leads to.
func folders(files []string) ([]string, error) {
	var all []string
	for _, f := range files {
		dir, err := filepath.EvalSymlinks(filepath.Dir(f))
		if err != nil {
			return nil, fmt.Errorf("folder of %q: %w", f, err)
		}
		all = append(all, dir)
		if target, err := filepath.EvalSymlinks(f); err == nil {
			all = append(all, filepath.Dir(target))
		}
	}
	if slices.Contains(all, "/") {
		return nil, errors.New("a file directly below / would open the whole file system to the daemon: put it into a folder")
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
