// SPDX-License-Identifier: GPL-2.0-or-later

package profile

import (
	"slices"
	"strings"
)

// The names of settings, as they stand in a file.
const (
	Server          = "server"
	User            = "user"
	PasswordFile    = "password_file"
	PasswordCommand = "password_command"
	CAFile          = "ca_file"
	CertFile        = "cert_file"
	KeyFile         = "key_file"
	ServerName      = "server_name"
	HTTPAuth        = "http_auth"
	Timeout         = "timeout"
)

// What HTTPAuth can be; nothing is HTTPAuto.
const (
	HTTPAuto  = "auto"  // where a proxy before the server asks for it
	HTTPBasic = "basic" // from the first call on
	HTTPNever = "never"
)

// Key is one setting.
type Key struct {
	Name string
	Help string
	Path bool // the name of a file
}

// Flag is the key's flag, without its dashes.
func (k Key) Flag() string { return strings.ReplaceAll(k.Name, "_", "-") }

// Env is the key's environment variable.
func (k Key) Env() string { return "NUCTL_" + strings.ToUpper(k.Name) }

func (k Key) password() bool { return k.Name == PasswordFile || k.Name == PasswordCommand }

// Keys are all settings.
func Keys() []Key {
	return []Key{
		{Name: Server, Help: "`URL` of the server, or unix:/path of its socket"},
		{Name: User, Help: "user to log in as"},
		{Name: PasswordFile, Help: "`FILE` whose first line is the password", Path: true},
		{Name: PasswordCommand, Help: "shell `COMMAND` that prints the password"},
		{Name: CAFile, Help: "`FILE` with the authorities that the server's certificate may be from, in place of this machine's", Path: true},
		{Name: CertFile, Help: "`FILE` with a certificate to log in with, in PEM", Path: true},
		{Name: KeyFile, Help: "`FILE` with the key of that certificate, if it is not in the same one", Path: true},
		{Name: ServerName, Help: "`NAME` that the server's certificate is for, if it is not that of the URL"},
		{Name: HTTPAuth, Help: "whether user and password are also sent to a proxy before the server: auto (when it asks), basic or never"},
		{Name: Timeout, Help: "how long one call may take, as in 30s"},
	}
}

func names() []string {
	var all []string
	for _, k := range Keys() {
		all = append(all, k.Name)
	}
	return all
}

// isPath says whether a setting is the name of a file.
func isPath(name string) bool {
	return slices.ContainsFunc(Keys(), func(k Key) bool { return k.Name == name && k.Path })
}
