// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"os"
	"path/filepath"

	"nuconntrack/frontd/config"
)

// portDNS is where names are asked for when an answer does not fit into a datagram (RFC 7766).
const portDNS = 53

// Reads returns the files that are read while the server runs.
func (s *Server) Reads() (paths []string) {
	set := s.cfg.Settings
	// A configuration directly below / could not be read again without all else being readable.
	if file := s.cfg.File; filepath.IsAbs(file) && filepath.Dir(file) != "/" {
		paths = append(paths, file)
		if folder, err := os.Stat(config.DropIns(file)); err == nil && folder.IsDir() {
			paths = append(paths, filepath.Join(config.DropIns(file), "x.toml"))
		}
	}
	if s.monitor != nil {
		// Of the process itself: how much memory and time it took.
		paths = append(paths, "/proc/self/stat")
	}
	names := []string{set.Auth.File, set.Auth.LDAP.CA, set.Auth.LDAP.BindPassword}
	if set.TLS != nil {
		names = append(names, set.TLS.Cert, set.TLS.Key, set.TLS.ClientCA)
	}
	for _, name := range names {
		// New has failed already where there is no such credential.
		if path, err := config.Path(name); err == nil && path != "" {
			paths = append(paths, path)
		}
	}
	if s.users != nil {
		paths = append(paths, s.users.Path())
	}
	if s.asksNames() {
		// What Go's resolver looks at. They get replaced, by files of other names too, so that
		// it is the folder that stays readable.
		paths = append(paths, "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf")
	}
	return paths
}

// Connects returns the TCP ports of other machines that the server connects to.
func (s *Server) Connects() []uint16 {
	var ports []uint16
	for _, server := range s.cfg.Settings.Auth.LDAP.Servers {
		ports = append(ports, server.Port)
	}
	if s.asksNames() {
		ports = append(ports, portDNS)
	}
	return ports
}

// asksNames reports whether hosts are looked up by name.
func (s *Server) asksNames() bool {
	for _, server := range s.cfg.Settings.Auth.LDAP.Servers {
		if server.Named() {
			return true
		}
	}
	return false
}
