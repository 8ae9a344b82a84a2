// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/auth/directory"
)

// String returns the configuration as understood, every default filled in, in the form of a
// configuration file: Parse reads it back to the same. It has no secrets.
func (c *Config) String() string {
	var b strings.Builder
	addresses := make([]string, len(c.Listen))
	for i, a := range c.Listen {
		addresses[i] = a.String()
	}
	fmt.Fprintf(&b, "listen = %s\n", list(addresses))
	fmt.Fprintf(&b, "privd = %s\n", quote(c.Privd))
	if c.UserGiven {
		fmt.Fprintf(&b, "user = %s\n", quote(c.User))
	} else {
		fmt.Fprintf(&b, "# user: %s, if started as root\n", c.User)
	}
	fmt.Fprintf(&b, "hosts = %s\n", list(c.Hosts))
	for _, k := range toggles() {
		fmt.Fprintf(&b, "%s = %t\n", k.key, *k.at(c))
	}
	for _, k := range spans() {
		fmt.Fprintf(&b, "%s = %q\n", k.key, short(*k.at(c)))
	}
	for _, k := range numbers() {
		fmt.Fprintf(&b, "%s = %d\n", k.key, k.get(c))
	}
	fmt.Fprintf(&b, "log_level = %q\nlog_format = %q\n", strings.ToLower(c.Log.Level.String()), c.Log.Format)
	printMarks(&b, c)
	c.Metrics.print(&b)
	c.TLS.print(&b)
	c.Proxy.print(&b)
	c.Auth.print(&b)
	b.WriteString(c.Roles.String())
	return b.String()
}

func (m Metrics) print(b *strings.Builder) {
	addresses := make([]string, len(m.Listen))
	for i, a := range m.Listen {
		addresses[i] = a.String()
	}
	fmt.Fprintf(b, "\n[metrics]\nlisten = %s\n", list(addresses))
}

func (t *TLS) print(b *strings.Builder) {
	if t == nil {
		return
	}
	fmt.Fprintf(b, "\n[tls]\ncert = %s\nkey = %s\n", quote(t.Cert), quote(t.Key))
	printText(b, "client_ca", t.ClientCA)
	version := "1.3"
	if t.MinVersion == tls.VersionTLS12 {
		version = "1.2"
	}
	printText(b, "min_version", version)
}

func (p Proxy) print(b *strings.Builder) {
	if p.UserHeader == "" && p.ClientHeader == "" {
		return
	}
	var from []string
	if p.Trust.Unix {
		from = append(from, proxyUnix)
	}
	for _, uid := range p.Trust.UIDs {
		from = append(from, proxyUID+strconv.FormatUint(uint64(uid), 10))
	}
	for _, n := range p.Trust.Networks {
		from = append(from, n.String())
	}
	fmt.Fprintf(b, "\n[proxy]\nfrom = %s\n", list(from))
	printText(b, "user_header", p.UserHeader)
	printText(b, "client_header", p.ClientHeader)
}

func (a Auth) print(b *strings.Builder) {
	fmt.Fprintf(b, "\n[auth]\nbackend = %s\n", quote(a.Backend))
	printText(b, "file", a.File)
	if a.Backend == BackendFile {
		fmt.Fprintf(b, "legacy_sha = %t\n", a.LegacySHA)
	}
	printText(b, "role", a.Role.Name)
	if len(a.Roles) > 0 {
		b.WriteString("\n[auth.roles]\n")
	}
	for _, user := range slices.Sorted(maps.Keys(a.Roles)) {
		fmt.Fprintf(b, "%s = %s\n", quote(user), quote(a.Roles[user].Name))
	}
	switch a.Backend {
	case BackendLDAP:
		printLDAP(b, a.LDAP)
	case BackendTLS:
		printCertificate(b, a.Certificate)
	}
	a.Local.print(b)
}

func printLDAP(b *strings.Builder, c directory.Config) {
	servers := make([]string, len(c.Servers))
	for i, s := range c.Servers {
		servers[i] = s.String()
	}
	fmt.Fprintf(b, "\n[auth.ldap]\nservers = %s\n", list(servers))
	printText(b, "server_name", c.ServerName)
	printText(b, "ca", c.CA)
	fmt.Fprintf(b, "timeout = %q\n", short(c.Timeout))
	printText(b, "user_dn", c.UserDN)
	printText(b, "bind_dn", c.BindDN)
	printText(b, "bind_password_file", c.BindPassword)
	if c.Base != "" {
		printText(b, "base", c.Base)
		printText(b, "filter", c.Filter)
	}
	printText(b, "name_attribute", c.NameAttribute)
	if c.GroupBase != "" {
		printText(b, "group_base", c.GroupBase)
		printText(b, "group_filter", c.GroupFilter)
	}
	for _, g := range c.Groups {
		fmt.Fprintf(b, "\n[[auth.ldap.groups]]\ndn = %s\nrole = %s\n", quote(g.DN), quote(g.Role))
	}
}

func printCertificate(b *strings.Builder, c auth.CertificateConfig) {
	kinds := make([]string, len(c.SANs))
	for i, s := range c.SANs {
		kinds[i] = string(s)
	}
	fmt.Fprintf(b, "\n[auth.tls]\nsan = %s\ncommon_name = %t\n", list(kinds), c.CommonName)
	if c.Users == nil {
		return
	}
	b.WriteString("\n[auth.tls.users]\n")
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		fmt.Fprintf(b, "%s = %s\n", quote(name), quote(c.Users[name]))
	}
}

func (l *Local) print(b *strings.Builder) {
	if l == nil {
		return
	}
	b.WriteString("\n[auth.local.users]\n")
	for _, user := range slices.Sorted(maps.Keys(l.Users)) {
		fmt.Fprintf(b, "%s = %s\n", quote(user), quote(l.Users[user].Name))
	}
	for _, g := range l.Groups {
		fmt.Fprintf(b, "\n[[auth.local.groups]]\ngroup = %s\nrole = %s\n", quote(g.Group), quote(g.Role.Name))
	}
}

// printText leaves out what is not there.
func printText(b *strings.Builder, key, value string) {
	if value != "" {
		fmt.Fprintf(b, "%s = %s\n", key, quote(value))
	}
}

func list(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote writes a basic string of TOML. What steers a terminal is written as an escape.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r > ' ' && r < 0x7f || r == ' ':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
