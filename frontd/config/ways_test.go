// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"crypto/tls"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/auth"
	"nuconntrack/policy/strict"
)

// example returns the reference with another backend, and with the sections that begin with one
// of these headers taken for true.
func example(backend string, sections ...string) string {
	var lines []string
	on := false
	for line := range strings.SplitSeq(Reference(), "\n") {
		if backend != BackendFile && (strings.HasPrefix(line, "file =") || strings.HasPrefix(line, "legacy_sha")) {
			continue
		}
		if strings.HasPrefix(line, "backend =") {
			line = "backend = \"" + backend + "\""
		}
		if rest, ok := strings.CutPrefix(line, "#["); ok {
			header := strings.Trim(rest, "[]")
			on = slices.ContainsFunc(sections, func(s string) bool { return header == s || strings.HasPrefix(header, s+".") })
		}
		if on && strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "#user_dn") {
			line = line[1:]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// TestReferenceSections keeps the examples in the shipped file true: they have every key, and
// are accepted.
func TestReferenceSections(t *testing.T) {
	tests := map[string]struct {
		backend  string
		sections []string
		path     []string // of the section whose keys are counted
		keys     []string
	}{
		"tls":       {BackendFile, []string{"tls"}, []string{"tls"}, tlsKeys()},
		"proxy":     {BackendProxy, []string{"proxy"}, []string{"proxy"}, proxyKeys()},
		"ldap":      {BackendLDAP, []string{"auth.ldap"}, []string{"auth", "ldap"}, ldapKeys()},
		"auth.tls":  {BackendTLS, []string{"tls", "auth.tls"}, []string{"auth", "tls"}, certificateKeys()},
		"local":     {BackendLocal, []string{"auth.local"}, []string{"auth", "local"}, localKeys()},
		"all local": {BackendProxy, []string{"auth.local", "proxy", "tls"}, []string{"auth", "local"}, localKeys()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := example(test.backend, test.sections...)
			c := mustParse(t, text)
			if again := mustParse(t, c.String()); !reflect.DeepEqual(again, c) {
				t.Errorf("printed and read back:\n%s\nbefore\n%s", again, c)
			}
			section := strict.Read([]byte(text), "reference")
			for _, part := range test.path {
				section = section.Table(part)
			}
			for _, key := range test.keys {
				if !section.Has(key) && key != "user_dn" {
					t.Errorf("the reference lacks %s", key)
				}
			}
		})
	}
}

const (
	tlsSection  = "\n[tls]\ncert = \"/c\"\nkey = \"/k\"\n"
	ldapSection = "[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"ldaps://d\"]\n"
	localUsers  = "[auth.local.users]\nroot = \"admin\"\n"
)

func TestWaysAccepted(t *testing.T) {
	tests := map[string]struct {
		text string
		ok   func(c *Config) bool
	}{
		"TLS everywhere": {"listen = [\"0.0.0.0:1\", \"plain:127.0.0.1:2\", \"unix:/x\"]" + tlsSection + authSection, func(c *Config) bool {
			return c.SpeaksTLS(c.Listen[0].Net(), c.Listen[0].Plain) && !c.SpeaksTLS(c.Listen[1].Net(), c.Listen[1].Plain) &&
				!c.SpeaksTLS(c.Listen[2].Net(), false) && c.TLS.MinVersion == tls.VersionTLS13 && c.ListenerWarning(c.Listen[0].Net(), false) == ""
		}},
		"plain, and said so": {"allow_plaintext = true\nlisten = [\"plain:192.0.2.1:1\"]" + tlsSection + authSection, func(c *Config) bool {
			return strings.Contains(c.ListenerWarning(c.Listen[0].Net(), c.Listen[0].Plain), "plain text")
		}},
		"TLS 1.2": {tlsSection + "min_version = \"1.2\"" + authSection, func(c *Config) bool { return c.TLS.MinVersion == tls.VersionTLS12 }},
		"directory": {ldapSection + "base = \"dc=x\"", func(c *Config) bool {
			l := c.Auth.LDAP
			return l.Servers[0].Port == 636 && l.Filter == "(uid={user})" && l.NameAttribute == "uid" && c.Auth.RoleOf("ann").Name == ""
		}},
		"directory, direct": {ldapSection + "user_dn = \"uid={user},dc=x\"\nca = \"credential:ca\"", func(c *Config) bool {
			return c.Auth.LDAP.UserDN != "" && c.Auth.LDAP.CA == "credential:ca"
		}},
		"proxy by default": {"[auth]\nbackend = \"proxy\"", func(c *Config) bool {
			return c.Proxy.Trust.Unix && c.Proxy.UserHeader == "X-Remote-User" && c.Auth.RoleOf("ann").Name == ""
		}},
		"proxies": {"[proxy]\nfrom = [\"uid:33\", \"10.1.2.3/8\", \"::1\", \"::ffff:192.0.2.1\"]\n[auth]\nbackend = \"proxy\"\nrole = \"viewer\"", func(c *Config) bool {
			return !c.Proxy.Trust.Unix && c.Proxy.Trust.Networks[0].String() == "10.0.0.0/8" && c.Proxy.Trust.Networks[2].String() == "192.0.2.1/32"
		}},
		"client's address with a file": {"[proxy]\nclient_header = \"X-Real-IP\"\n" + authSection, func(c *Config) bool {
			return c.Proxy.Trust.Unix && c.Proxy.UserHeader == "" && c.Proxy.ClientHeader == "X-Real-IP"
		}},
		"certificates": {tlsSection + "client_ca = \"/a\"\n[auth]\nbackend = \"tls\"\n[auth.tls]\nsan = [\"uri\"]\n[auth.tls.users]\n\"spiffe://x/ann\" = \"ann\"", func(c *Config) bool {
			return c.Auth.Certificate.Users["spiffe://x/ann"] == "ann" && slices.Equal(c.Auth.Certificate.SANs, []auth.SAN{auth.SANURI})
		}},
		"local and file": {authSection + localUsers + "[[auth.local.groups]]\ngroup = \"4\"\nrole = \"viewer\"", func(c *Config) bool {
			return c.Auth.Local.Users["root"].Name == "admin" && c.Auth.Local.Groups[0].Group == "4"
		}},
		"a role of one's own": {"[auth]\nbackend = \"local\"\n[auth.local.users]\nann = \"tenant\"\n[roles.tenant]\nbase = \"viewer\"\nzones = [1]", func(c *Config) bool {
			return c.Auth.Local.Users["ann"].Name == "tenant"
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := mustParse(t, test.text)
			if !test.ok(c) {
				t.Errorf("understood as\n%s", c)
			}
			if again := mustParse(t, c.String()); !reflect.DeepEqual(again, c) {
				t.Errorf("printed and read back:\n%s\nbefore\n%s", again, c)
			}
		})
	}
}

func TestTLSNeverServesNone(t *testing.T) {
	c := mustParse(t, tlsSection+"[auth]\nbackend = \"none\"")
	if err := c.CheckListener(&net.TCPAddr{IP: net.ParseIP("192.0.2.1")}, false); err != ErrNoAuthentication {
		t.Errorf("everybody is let in over TLS: %v", err)
	}
	c = mustParse(t, tlsSection+authSection)
	if err := c.CheckListener(&net.TCPAddr{IP: net.ParseIP("192.0.2.1")}, true); err != ErrPlaintext {
		t.Errorf("plain beside TLS: %v", err)
	}
}

func TestPath(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := Path("credential:x"); err == nil {
		t.Error("a credential was found where there are none")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/s")
	if path, err := Path("credential:x"); err != nil || path != "/run/credentials/s/x" {
		t.Errorf("got %q, %v", path, err)
	}
	if path, err := Path("/x"); err != nil || path != "/x" {
		t.Errorf("got %q, %v", path, err)
	}
}

func badTLS() map[string]badFile {
	return map[string]badFile{
		"tls is a string":           {"tls = \"x\"" + authSection, 1, "tls", "want a table"},
		"no key":                    {"[tls]\ncert = \"/c\"" + authSection, 1, "tls", "key is missing"},
		"no certificate":            {"[tls]\nkey = \"/k\"" + authSection, 1, "tls", "cert is missing"},
		"relative":                  {"[tls]\ncert = \"c\"\nkey = \"/k\"" + authSection, 2, "tls.cert", "absolute"},
		"credential with a path":    {"[tls]\ncert = \"/c\"\nkey = \"credential:../k\"" + authSection, 3, "tls.key", "name of a credential"},
		"credential without a name": {"[tls]\ncert = \"/c\"\nkey = \"credential:\"" + authSection, 3, "tls.key", "name of a credential"},
		"old version":               {tlsSection + "min_version = \"1.1\"" + authSection, 5, "tls.min_version", "neither"},
		"version a number":          {tlsSection + "min_version = 1.2" + authSection, 5, "tls.min_version", "want a string"},
		"unknown key in [tls]":      {tlsSection + "ciphers = \"ALL\"" + authSection, 5, "tls.ciphers", "unknown key"},
		"none over TLS":             {"listen = [\"0.0.0.0:1\"]" + tlsSection + "[auth]\nbackend = \"none\"", 1, "listen", "lets everybody in"},
		"plain beyond loopback":     {"listen = [\"plain:0.0.0.0:1\"]" + tlsSection + authSection, 1, "listen", "plain text"},
		"plain unix":                {"listen = [\"plain:unix:/x\"]" + authSection, 1, "listen", "want"},
		"plain and not":             {"listen = [\"plain:127.0.0.1:1\", \"127.0.0.1:1\"]" + authSection, 1, "listen", "given twice"},
	}
}

func badProxy() map[string]badFile {
	proxy := func(s, key, reason string) badFile {
		return badFile{"[proxy]\n" + s + "\n[auth]\nbackend = \"proxy\"", 2, key, reason}
	}
	return map[string]badFile{
		"everybody a proxy":      proxy("from = [\"0.0.0.0/0\"]", "proxy.from", "everybody"),
		"every IPv6 a proxy":     proxy("from = [\"::/0\"]", "proxy.from", "everybody"),
		"no proxy":               proxy("from = []", "proxy.from", "want 1 to"),
		"from a string":          proxy("from = \"unix\"", "proxy.from", "want an array"),
		"from a name":            proxy("from = [\"proxy.example\"]", "proxy.from", "not an IP address"),
		"from with a zone":       proxy("from = [\"fe80::1%eth0\"]", "proxy.from", "not an IP address"),
		"from mapped":            proxy("from = [\"::ffff:10.0.0.0/104\"]", "proxy.from", "not an IP address"),
		"uid of nobody":          proxy("from = [\"uid:65534\"]", "proxy.from", "nobody"),
		"uid by name":            proxy("from = [\"uid:www-data\"]", "proxy.from", "not a uid"),
		"header with a colon":    proxy("user_header = \"X:Y\"", "proxy.user_header", "not the name of a header"),
		"header with underscore": proxy("user_header = \"REMOTE_USER\"", "proxy.user_header", "not the name of a header"),
		"header empty":           proxy("user_header = \"\"", "proxy.user_header", "not the name of a header"),
		"header Host":            proxy("user_header = \"host\"", "proxy.user_header", "another meaning"),
		"one header for both":    proxy("client_header = \"x-remote-user\"", "proxy.client_header", "same header"),
		"user without backend":   {"[proxy]\nuser_header = \"X\"" + authSection, 2, "proxy.user_header", "counts with"},
		"proxy for nothing":      {"[proxy]\nfrom = [\"unix\"]" + authSection, 1, "proxy", "client_header"},
	}
}

func badWays() map[string]badFile {
	ldap := func(s string, line int, key, reason string) badFile {
		return badFile{ldapSection + s, line, key, reason}
	}
	return map[string]badFile{
		"ldap without a section":   {"[auth]\nbackend = \"ldap\"", 1, "auth", "needs a section"},
		"section of another":       {authSection + "[auth.ldap]\nservers = [\"ldaps://d\"]", 5, "auth.ldap", "for backend"},
		"tls section of another":   {authSection + "[auth.tls]\nsan = [\"dns\"]", 5, "auth.tls", "for backend"},
		"file with ldap":           {"[auth]\nbackend = \"ldap\"\nfile = \"/p\"", 3, "auth.file", "for backend"},
		"legacy_sha with proxy":    {"[auth]\nbackend = \"proxy\"\nlegacy_sha = true", 3, "auth.legacy_sha", "for backend"},
		"no server":                {"[auth]\nbackend = \"ldap\"\n[auth.ldap]\nbase = \"dc=x\"", 3, "auth.ldap.servers", "want 1 to"},
		"server without a scheme":  {"[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"d\"]", 4, "auth.ldap.servers", "ldaps://"},
		"server of the web":        {"[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"https://d\"]", 4, "auth.ldap.servers", "ldaps://"},
		"server with a base":       {"[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"ldap://d/dc=x\"]", 4, "auth.ldap.servers", "nothing else"},
		"server with a password":   {"[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"ldap://a:b@d\"]", 4, "auth.ldap.servers", "nothing else"},
		"server on port 0":         {"[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"ldap://d:0\"]", 4, "auth.ldap.servers", "port"},
		"neither base nor dn":      ldap("", 3, "auth.ldap", "either base"),
		"base and dn":              ldap("base = \"dc=x\"\nuser_dn = \"uid={user},dc=x\"", 3, "auth.ldap", "either base"),
		"dn for everybody":         ldap("user_dn = \"uid=ann,dc=x\"", 5, "auth.ldap.user_dn", "{user} is missing"),
		"dn that is none":          ldap("user_dn = \"{user}@example.org\"", 5, "auth.ldap.user_dn", "distinguished name"),
		"dn with a filter":         ldap("user_dn = \"uid={user},dc=x\"\nfilter = \"(uid={user})\"", 5, "auth.ldap.user_dn", "nothing is searched"),
		"filter for everybody":     ldap("base = \"dc=x\"\nfilter = \"(uid=*)\"", 6, "auth.ldap.filter", "want {user}"),
		"filter that is none":      ldap("base = \"dc=x\"\nfilter = \"(uid={user}\"", 6, "auth.ldap.filter", "not a filter"),
		"bind without password":    ldap("base = \"dc=x\"\nbind_dn = \"cn=y\"", 3, "auth.ldap", "belong together"),
		"password in the file":     ldap("base = \"dc=x\"\nbind_dn = \"cn=y\"\nbind_password = \"s3cret\"", 7, "auth.ldap.bind_password", "unknown key"),
		"base that is none":        ldap("base = \"example.org\"", 5, "auth.ldap.base", "distinguished name"),
		"timeout of none":          ldap("base = \"dc=x\"\ntimeout = 0", 6, "auth.ldap.timeout", "not in"),
		"attribute that is none":   ldap("base = \"dc=x\"\nname_attribute = \"u*\"", 6, "auth.ldap.name_attribute", "not an attribute"),
		"group without a role":     ldap("base = \"dc=x\"\n[[auth.ldap.groups]]\ndn = \"cn=g\"", 6, "auth.ldap.groups", "role is missing"),
		"group of unknown role":    ldap("base = \"dc=x\"\n[[auth.ldap.groups]]\ndn = \"cn=g\"\nrole = \"x\"", 8, "auth.ldap.groups.role", "not a role"),
		"group that is no dn":      ldap("base = \"dc=x\"\n[[auth.ldap.groups]]\ndn = \"g\"\nrole = \"viewer\"", 7, "auth.ldap.groups.dn", "distinguished name"),
		"groups searched for none": ldap("base = \"dc=x\"\ngroup_base = \"dc=x\"", 6, "auth.ldap.group_base", "groups"),
		"certificates without CA":  {tlsSection + "[auth]\nbackend = \"tls\"", 6, "auth.backend", "client_ca"},
		"certificates, no TLS":     {"[auth]\nbackend = \"tls\"", 2, "auth.backend", "client_ca"},
		"SAN unknown":              {tlsSection + "client_ca = \"/a\"\n[auth]\nbackend = \"tls\"\n[auth.tls]\nsan = [\"ip\"]", 9, "auth.tls.san", "none of email"},
		"SAN twice":                {tlsSection + "client_ca = \"/a\"\n[auth]\nbackend = \"tls\"\n[auth.tls]\nsan = [\"dns\", \"dns\"]", 9, "auth.tls.san", "twice"},
		"no SAN":                   {tlsSection + "client_ca = \"/a\"\n[auth]\nbackend = \"tls\"\n[auth.tls]\nsan = []", 9, "auth.tls.san", "no kind"},
		"user of a certificate":    {tlsSection + "client_ca = \"/a\"\n[auth]\nbackend = \"tls\"\n[auth.tls.users]\na = \"b:c\"", 9, "auth.tls.users.a", "colon"},
		"local without a section":  {"[auth]\nbackend = \"local\"", 1, "auth", "needs a section"},
		"local for nobody":         {authSection + "[auth.local]", 5, "auth.local", "neither"},
		"local and none":           {"[auth]\nbackend = \"none\"\n" + localUsers, 1, "auth.local", "lets everybody in"},
		"local beside any proxy":   {"[auth]\nbackend = \"proxy\"\n" + localUsers, 1, "auth.local", "could be a proxy"},
		"local overflow uid":       {authSection + "[auth.local.users]\n65534 = \"admin\"", 6, "auth.local.users.65534", "stands for somebody"},
		"local name of a path":     {authSection + "[auth.local.users]\n\"a/b\" = \"admin\"", 6, "auth.local.users.\"a/b\"", "neither a name"},
		"local unknown role":       {authSection + "[auth.local.users]\nann = \"king\"", 6, "auth.local.users.ann", "not a role"},
		"roles by name with local": {"[auth]\nbackend = \"local\"\n" + localUsers + "[auth.roles]\nann = \"viewer\"", 5, "auth.roles", "[auth.local]"},
	}
}

// TestMistakesTellNoSecrets: what was written in the wrong place or form may be a secret.
func TestMistakesTellNoSecrets(t *testing.T) {
	const ldap = "[auth]\nbackend = \"ldap\"\n[auth.ldap]\n"
	for name, text := range map[string]string{
		"password for its file": ldap + "servers = [\"ldaps://d\"]\nbase = \"dc=x\"\nbind_dn = \"cn=x\"\nbind_password_file = \"hunter2\"\n",
		"password as its name":  ldap + "servers = [\"ldaps://d\"]\nbase = \"dc=x\"\nbind_dn = \"cn=x\"\nbind_password_file = \"credential:../hunter2\"\n",
		"password in a URL":     ldap + "servers = [\"ldaps://cn=x:hunter2@d\"]\nbase = \"dc=x\"\n",
		"password as a key":     ldap + "servers = [\"ldaps://d\"]\nbase = \"dc=x\"\nbind_password = \"hunter2\"\n",
		"password as a number":  ldap + "servers = [\"ldaps://d\"]\nbase = \"dc=x\"\nbind_dn = \"cn=x\"\nbind_password_file = 42hunter2\n",
		"key for its file":      "[tls]\ncert = \"/c\"\nkey = \"\"\"-----BEGIN PRIVATE KEY-----\nhunter2\n\"\"\"" + authSection,
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := Parse([]byte(text), "f", Override{}); err == nil || c != nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, %v", c, err)
			}
		})
	}
}
