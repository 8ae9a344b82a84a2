// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/BurntSushi/toml"

	"nuconntrack/frontd/auth/passwd"
)

// user is who logs in.
const user = "admin"

// policyText lets the visitor do nearly everything, and shows what a refusal looks like.
const policyText = `[kill]
allow = true
rate  = 100
burst = 1000

[change]
allow       = true
mark_mask   = "0xffffffff"
timeout_min = 10
timeout_max = 432000

[dump]
duty = 0.5

[[protect]]
name      = "ssh"
ports     = [22]
protocols = ["tcp"]
`

// place is the demo's folder: mode 0700, as the socket of the helper and the password are in it.
type place struct {
	dir      string
	password string
}

func (p place) socket() string       { return filepath.Join(p.dir, "privd.sock") }
func (p place) policy() string       { return filepath.Join(p.dir, "policy.toml") }
func (p place) frontdConfig() string { return filepath.Join(p.dir, "frontd.toml") }
func (p place) users() string        { return filepath.Join(p.dir, "passwd") }
func (p place) passwordFile() string { return filepath.Join(p.dir, "password") }
func (p place) log(name string) string {
	return filepath.Join(p.dir, name+".log")
}

// makePlace makes the folder and the daemons' files in it. An empty dir stands for a new
// folder among the temporary files; another must not exist, so that nothing but the demo's
// own files is ever removed. The address is for readers only: the listener is handed in.
func makePlace(dir, address string) (p place, err error) {
	if dir == "" {
		dir, err = os.MkdirTemp("", "nuctl-demo-")
	} else if dir, err = filepath.Abs(dir); err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return place{}, usagef("--dir %s: exists already; the demo makes and removes a folder of its own", dir)
	}
	if err != nil {
		return place{}, fmt.Errorf("make folder: %w", err)
	}
	p = place{dir: dir, password: rand.Text()}
	if err := p.fill(address); err != nil {
		return place{}, errors.Join(err, p.remove())
	}
	return p, nil
}

func (p place) fill(address string) error {
	if limit := len(syscall.RawSockaddrUnix{}.Path) - 1; len(p.socket()) > limit {
		return fmt.Errorf("make folder: %s is too long for a socket (at most %d bytes): choose a shorter one with --dir", p.socket(), limit)
	}
	hash, err := passwd.Hash(p.password, passwd.Bcrypt)
	if err != nil {
		return fmt.Errorf("make password: %w", err)
	}
	var users passwd.File
	if err := users.Set(user, hash); err != nil {
		return fmt.Errorf("make password: %w", err)
	}
	config, err := frontdText(p, address)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path string
		text []byte
	}{
		{p.policy(), []byte(policyText)},
		{p.frontdConfig(), config},
		{p.users(), users.Bytes()},
		{p.passwordFile(), []byte(p.password + "\n")},
	} {
		if err := os.WriteFile(f.path, f.text, 0o600); err != nil {
			return fmt.Errorf("write file: %w", err)
		}
	}
	return nil
}

// frontdText is frontd's configuration. In a namespace that maps a single uid there is
// nobody to become: user is self.
func frontdText(p place, address string) ([]byte, error) {
	type auth struct {
		Backend string `toml:"backend"`
		File    string `toml:"file"`
	}
	text, err := toml.Marshal(struct {
		Listen []string `toml:"listen"`
		Privd  string   `toml:"privd"`
		User   string   `toml:"user"`
		Auth   auth     `toml:"auth"`
	}{
		Listen: []string{address},
		Privd:  p.socket(),
		User:   "self",
		Auth:   auth{Backend: "file", File: p.users()},
	})
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return text, nil
}

// remove takes the folder away. Removing it twice is no error.
func (p place) remove() error {
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove folder: %w", err)
	}
	return nil
}
