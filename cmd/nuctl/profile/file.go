// SPDX-License-Identifier: GPL-2.0-or-later

package profile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"nuconntrack/policy/strict"
)

// SystemFile is the file for all users of a machine.
const SystemFile = "/etc/nuconntrack/nuctl.toml"

// Limits of a file, besides those of package strict.
const (
	maxName  = 64   // bytes of a profile's name
	maxValue = 4096 // bytes of a setting
)

// Profile is one firewall of a file.
type Profile struct {
	Name   string
	File   string            // that it stands in
	Values map[string]string // by the names of Keys
}

// Set are the profiles of one or two files.
type Set struct {
	Default  string // of the profile that is used when none is named; empty: none is
	Profiles []Profile
	Files    []string // that were there
}

// Named finds a profile.
func (s Set) Named(name string) (Profile, bool) {
	i := slices.IndexFunc(s.Profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return s.Profiles[i], true
}

// Names are those of all profiles, in their order.
func (s Set) Names() []string {
	var all []string
	for _, p := range s.Profiles {
		all = append(all, p.Name)
	}
	return all
}

// Paths are the files that Load reads when none is named: the user's own first. getenv looks
// up XDG_CONFIG_HOME and HOME.
func Paths(getenv func(string) string) []string {
	var paths []string
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		paths = append(paths, filepath.Join(dir, "nuctl", "config.toml"))
	} else if home := getenv("HOME"); filepath.IsAbs(home) {
		paths = append(paths, filepath.Join(home, ".config", "nuctl", "config.toml"))
	}
	return append(paths, SystemFile)
}

// Load reads those of the files that are there. What stands in an earlier one goes before what
// has the same name in a later one. home is what ~/ stands for.
func Load(paths []string, home string) (Set, error) {
	var all Set
	for _, path := range paths {
		data, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Set{}, err
		}
		set, err := Parse(data, path, home)
		if err != nil {
			return Set{}, err
		}
		all.add(set)
	}
	// A default of the system's file may be a profile of the user's.
	if _, ok := all.Named(all.Default); all.Default != "" && !ok {
		return Set{}, fmt.Errorf("there is no profile %q, which is the default in %s", all.Default, strings.Join(all.Files, " or "))
	}
	return all, nil
}

func (s *Set) add(other Set) {
	if s.Default == "" {
		s.Default = other.Default
	}
	s.Files = append(s.Files, other.Files...)
	for _, p := range other.Profiles {
		if _, taken := s.Named(p.Name); !taken {
			s.Profiles = append(s.Profiles, p)
		}
	}
}

// read reads a file that nobody but its owner may write, who is this user or root.
func read(path string) ([]byte, error) {
	// A pipe in its place must not keep anybody waiting.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read settings: %s is not a regular file", path)
	case info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("read settings: others may write %s, and with it choose commands that you run: chmod go-w it", path)
	case known && owner.Uid != 0 && int(owner.Uid) != os.Geteuid():
		return nil, fmt.Errorf("read settings: %s belongs to another user (uid %d)", path, owner.Uid)
	}
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return data, nil
}
