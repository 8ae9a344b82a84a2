// SPDX-License-Identifier: GPL-2.0-or-later

package profile

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nuconntrack/policy/strict"
)

// Parse reads a file: a default, and a table for each profile.
//
//	default = "edge"
//
//	[profile.edge]
//	server        = "https://edge.example.org/RPC2"
//	user          = "alice"
//	password_file = "~/.config/nuctl/edge"
//
// Paths are relative to the file's folder; those with ~/ to home. Errors are of type
// *strict.Error and name the line.
func Parse(data []byte, file, home string) (Set, error) {
	root := strict.Read(data, file)
	root.Only("default", "profile")
	set := Set{Default: root.Text("default"), Files: []string{file}}
	profiles := root.Table("profile")
	for _, name := range profiles.Keys() {
		t := profiles.Table(name)
		if !validName(name) {
			t.Fail("", "the name of a profile has letters, digits, '-', '_' and '.', at most %d", maxName)
		}
		set.Profiles = append(set.Profiles, Profile{Name: name, File: file, Values: values(t, filepath.Dir(file), home)})
	}
	return set, root.Err()
}

func values(t strict.Table, dir, home string) map[string]string {
	for _, key := range []string{"password", "passwd", "secret"} {
		if t.Has(key) {
			t.Fail(key, "a password does not stand in this file, which gets copied and shown around: use %s or %s", PasswordFile, PasswordCommand)
		}
	}
	t.Only(names()...)
	all := map[string]string{}
	for _, key := range names() {
		if !t.Has(key) {
			continue
		}
		text := t.Text(key)
		switch err := Check(key, text); {
		case err != nil:
			t.Fail(key, "%s", err)
		case isPath(key):
			text = absolute(text, dir, home)
		}
		all[key] = text
	}
	if !t.Has(Server) {
		t.Fail("", "a profile is a firewall: %s is missing", Server)
	}
	_, both := all[PasswordCommand]
	if _, file := all[PasswordFile]; file && both {
		t.Fail(PasswordCommand, "%s stands there too, and there is one password", PasswordFile)
	}
	return all
}

// Check says what is wrong with a setting, wherever it comes from. Whether a server's address
// or a file is of use shows only when it is used.
func Check(name, text string) error {
	switch {
	case text == "":
		return errEmpty
	case len(text) > maxValue:
		return errLong
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && (name != PasswordCommand || r != '\n' && r != '\t') || r == 0x7f }):
		return errControl
	case name == HTTPAuth && !slices.Contains([]string{HTTPAuto, HTTPBasic, HTTPNever}, text):
		return errHTTPAuth
	case name == Timeout:
		if d, err := time.ParseDuration(text); err != nil || d <= 0 {
			return errTimeout
		}
	}
	return nil
}

func absolute(path, dir, home string) string {
	if below, ok := strings.CutPrefix(path, "~/"); ok && home != "" {
		return filepath.Join(home, below)
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func validName(name string) bool {
	foreign := func(r rune) bool {
		return !strings.ContainsRune("-_.", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, foreign)
}
