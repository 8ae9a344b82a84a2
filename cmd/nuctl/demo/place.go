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

// place is the folder of all files. Who gets at them is for the setting to say.
type place struct {
	dir      string
	password string
	setting  setting
}

// socket is in a folder of its own, which privd makes, so that it can remove the socket.
func (p place) socket() string       { return filepath.Join(p.dir, "privd", "privd.sock") }
func (p place) policy() string       { return filepath.Join(p.dir, "policy.toml") }
func (p place) frontdConfig() string { return filepath.Join(p.dir, "frontd.toml") }
func (p place) users() string        { return filepath.Join(p.dir, "passwd") }
func (p place) passwordFile() string { return filepath.Join(p.dir, "password") }
func (p place) environment() string  { return filepath.Join(p.dir, "env") }
func (p place) log(name string) string {
	return filepath.Join(p.dir, name+".log")
}

// makePlace makes the folder and the daemons' files in it. An empty dir stands for a new
// temporary folder; another must not exist, so that nothing but the demo's own files is ever
// removed. The address is for the clients: the listener is handed in.
func makePlace(dir, address string, s setting) (p place, err error) {
	if dir == "" {
		dir, err = os.MkdirTemp(s.parent, s.prefix)
	} else if dir, err = filepath.Abs(dir); err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return place{}, usagef("--dir %s: exists already; a folder of its own is made, and removed at the end", dir)
	}
	if err != nil {
		return place{}, fmt.Errorf("make folder: %w", err)
	}
	p = place{dir: dir, password: rand.Text(), setting: s}
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
	s := p.setting
	for _, f := range []struct {
		path   string
		text   []byte
		reader reader
	}{
		{p.policy(), []byte(policyText), s.readsPolicy},
		{p.frontdConfig(), config, s.readsConfig},
		{p.users(), users.Bytes(), s.readsConfig},
		{p.passwordFile(), []byte(p.password + "\n"), s.readsPassword},
		{p.environment(), []byte(environmentText(p, address)), s.readsPassword},
	} {
		if err := f.reader.write(f.path, f.text); err != nil {
			return fmt.Errorf("write file: %w", err)
		}
	}
	// Last, when each file has its own mode.
	if err := os.Chmod(p.dir, s.folder); err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	return nil
}

// frontdText is frontd's configuration.
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
		User:   p.setting.frontd,
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
