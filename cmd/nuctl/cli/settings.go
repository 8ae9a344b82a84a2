// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/profile"
)

// Environment variables besides those of the settings themselves, see profile.Key.
const (
	envProfile = "NUCTL_PROFILE"
	envConfig  = "NUCTL_CONFIG"
)

// Where settings come from, as people read it.
const (
	fromFlags       = "command line"
	fromEnvironment = "environment"
)

// settings are the flags that say where to connect and as whom.
type settings struct {
	profile, config string
	flagSet         *pflag.FlagSet
}

func (s *settings) flags(f *pflag.FlagSet) {
	s.flagSet = f
	f.StringVar(&s.profile, "profile", "", "`NAME` of a firewall in the file of settings; the environment does not count then (environment "+envProfile+")")
	f.StringVar(&s.config, "config", "", "`FILE` of settings (environment "+envConfig+"; else ~/.config/nuctl/config.toml and "+profile.SystemFile+")")
	for _, k := range profile.Keys() {
		f.String(k.Flag(), "", k.Help+" (environment "+k.Env()+")")
	}
}

// layer gives what the command line sets.
func (s *settings) layer() (profile.Layer, error) {
	l := profile.Layer{Name: fromFlags, Values: map[string]string{}}
	for _, k := range profile.Keys() {
		f := s.flagSet.Lookup(k.Flag())
		if !f.Changed {
			continue
		}
		l.Values[k.Name] = f.Value.String()
		if err := profile.Check(k.Name, f.Value.String()); err != nil {
			return l, usagef("--%s %q: %w", k.Flag(), f.Value.String(), err)
		}
	}
	return l, nil
}

func (a *app) environment() (profile.Layer, error) {
	l := profile.Layer{Name: fromEnvironment, Values: map[string]string{}}
	for _, k := range profile.Keys() {
		text := a.getenv(k.Env())
		if text == "" {
			continue
		}
		l.Values[k.Name] = text
		if err := profile.Check(k.Name, text); err != nil {
			return l, usagef("%s: %w", k.Env(), err)
		}
	}
	return l, nil
}

// profiles reads the files of settings. One that was named has to be there.
func (a *app) profiles() (profile.Set, error) {
	paths, named := profile.Paths(a.getenv), a.settings.config
	if named == "" {
		named = a.getenv(envConfig)
	}
	if named != "" {
		paths = []string{named}
	}
	set, err := profile.Load(paths, a.getenv("HOME"))
	if err == nil && named != "" && len(set.Files) == 0 {
		err = fmt.Errorf("read settings: there is no file %s", named)
	}
	if err != nil {
		return set, &usageError{err}
	}
	return set, nil
}

// profileNames are what can stand behind --profile, as far as that can be found out.
func (a *app) profileNames() []string {
	set, err := a.profiles()
	if err != nil {
		return nil
	}
	return set.Names()
}

// inForce finds the settings that hold: those of the command line; those of a profile that it
// names, or else the environment's; those of a profile that the environment names, or of the
// default one. The default one does not come into it once something says which server to
// ask: its password is for its own.
func (a *app) inForce() (profile.Settings, error) {
	set, err := a.profiles()
	if err != nil {
		return nil, err
	}
	flags, err := a.settings.layer()
	if err != nil {
		return nil, err
	}
	layers := []profile.Layer{flags}
	name := a.settings.profile
	if name == "" {
		environment, err := a.environment()
		if err != nil {
			return nil, err
		}
		layers = append(layers, environment)
		name = a.getenv(envProfile)
		if flags.Values[profile.Server] == "" && environment.Values[profile.Server] == "" && name == "" {
			name = set.Default
		}
	}
	if name != "" {
		p, ok := set.Named(name)
		if !ok {
			return nil, noProfile(set, name)
		}
		layers = append(layers, profile.Layer{Name: "profile " + p.Name + " of " + p.File, Values: p.Values})
	}
	all, err := profile.Resolve(layers)
	if err != nil {
		return nil, &usageError{err}
	}
	return all, nil
}

func noProfile(set profile.Set, name string) error {
	switch {
	case len(set.Files) == 0:
		return usagef("there is no profile %q: no file of settings was found", name)
	case len(set.Profiles) == 0:
		return usagef("there is no profile %q: %s has none", name, strings.Join(set.Files, " and "))
	}
	return usagef("there is no profile %q, but %s", name, strings.Join(set.Names(), ", "))
}

// way is how to get to a server.
type way struct {
	settings profile.Settings
	address  client.Address
	config   client.Config
}

// way finds the settings and reads what they name, but for the password.
func (a *app) way() (way, error) {
	s, err := a.inForce()
	if err != nil {
		return way{}, err
	}
	server := s.Text(profile.Server)
	if server == "" {
		server = client.DefaultServer
	}
	w := way{settings: s}
	if w.address, err = client.ParseAddress(server); err != nil {
		return way{}, &usageError{err}
	}
	w.config = client.Config{Server: w.address, Agent: "nuctl/" + version()}
	if text := s.Text(profile.Timeout); text != "" {
		// It was checked where it was read.
		w.config.Timeout, _ = time.ParseDuration(text)
	}
	switch s.Text(profile.HTTPAuth) {
	case profile.HTTPBasic:
		w.config.HTTPAuth = client.HTTPAlways
	case profile.HTTPNever:
		w.config.HTTPAuth = client.HTTPNever
	}
	files := client.TLSFiles{CA: s.Text(profile.CAFile), Cert: s.Text(profile.CertFile), Key: s.Text(profile.KeyFile), ServerName: s.Text(profile.ServerName)}
	if files.Cert != "" {
		a.warnReadable(cmp.Or(files.Key, files.Cert), "key")
	}
	if w.config.TLS, err = client.LoadTLS(files); err != nil {
		return way{}, &usageError{err}
	}
	return w, nil
}
