// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// authSection is the section that every file needs.
const authSection = "\n[auth]\nbackend = \"file\"\nfile = \"/p\"\n"

// badFile is a file that must be refused, the place to blame, and a part of the reason.
type badFile struct {
	text   string
	line   int
	key    string
	reason string
}

func badStructure() map[string]badFile {
	return map[string]badFile{
		"empty":                      {"", 0, "auth", "section is missing"},
		"no [auth]":                  {"listen = [\"127.0.0.1:1\"]", 0, "auth", `backend = "none"`},
		"empty [auth]":               {"\n[auth]", 2, "auth", "backend is missing"},
		"auth is no table":           {"auth = \"none\"", 1, "auth", "want a table"},
		"not TOML":                   {"listen = [\n", 1, "listen", ""},
		"key twice":                  {"max_page = 1\nmax_page = 2" + authSection, 2, "max_page", "already"},
		"unknown key":                {"\nlistn = []" + authSection, 2, "listn", "unknown key"},
		"key in another case":        {"Listen = []" + authSection, 1, "Listen", "unknown key"},
		"unknown key in [auth]":      {authSection + "password = \"x\"", 5, "auth.password", "unknown key"},
		"key below the wrong header": {authSection + "max_page = 10", 5, "auth.max_page", "unknown key"},
		"unknown section":            {"[tsl]\ncert = \"x\"" + authSection, 1, "tsl", "unknown key"},
		"too large":                  {"#" + strings.Repeat("x", 1<<20), 0, "", "larger than"},
	}
}

func badRoot() map[string]badFile {
	return map[string]badFile{
		"privd is a number":       {"privd = 1" + authSection, 1, "privd", "want a string"},
		"privd is relative":       {"privd = \"privd.sock\"" + authSection, 1, "privd", "begin with /"},
		"privd is empty":          {"privd = \"\"" + authSection, 1, "privd", "empty"},
		"privd is an address":     {"privd = \"unix:/run/x\"" + authSection, 1, "privd", "begin with /"},
		"privd is too long":       {"privd = \"/" + strings.Repeat("x", 107) + "\"" + authSection, 1, "privd", "108 bytes"},
		"user is a number":        {"user = 1000" + authSection, 1, "user", "want a string"},
		"user is empty":           {"user = \"\"" + authSection, 1, "user", "neither"},
		"user is root":            {"user = \"root\"" + authSection, 1, "user", "not run as root"},
		"user is 0":               {"user = \"00\"" + authSection, 1, "user", "not run as root"},
		"user is (uid_t)-1":       {"user = \"4294967295\"" + authSection, 1, "user", "not a uid"},
		"user is out of range":    {"user = \"4294967296\"" + authSection, 1, "user", "not a uid"},
		"user is no name":         {"user = \"a:b\"" + authSection, 1, "user", "neither"},
		"user is a flag":          {"user = \"-a\"" + authSection, 1, "user", "neither"},
		"hosts is a string":       {"hosts = \"fw\"" + authSection, 1, "hosts", "want an array"},
		"host is a number":        {"hosts = [\"a\", 1]" + authSection, 1, "hosts", "not a string"},
		"host with port":          {"hosts = [\"fw.example:8580\"]" + authSection, 1, "hosts", "without a port"},
		"host is a pattern":       {"hosts = [\"*.example\"]" + authSection, 1, "hosts", "patterns"},
		"host is a URL":           {"hosts = [\"fw/RPC2\"]" + authSection, 1, "hosts", "not the name"},
		"host is empty":           {"hosts = [\"\"]" + authSection, 1, "hosts", "not the name"},
		"host is not ASCII":       {"hosts = [\"bücher.example\"]" + authSection, 1, "hosts", "xn--"},
		"host is too long":        {"hosts = [\"" + strings.Repeat("a", 254) + "\"]" + authSection, 1, "hosts", "not the name"},
		"too many hosts":          {"hosts = [" + strings.Repeat("\"a\",", 1001) + "]" + authSection, 1, "hosts", "more than 1000"},
		"multicall is 1":          {"multicall = 1" + authSection, 1, "multicall", "true or false"},
		"read_only is a string":   {"read_only = \"yes\"" + authSection, 1, "read_only", "true or false"},
		"allow_plaintext is null": {"allow_plaintext = \"\"" + authSection, 1, "allow_plaintext", "true or false"},

		"max_age negative":       {"max_age = \"-1s\"" + authSection, 1, "max_age", "not in 0s to 5m"},
		"max_age without unit":   {"max_age = \"1\"" + authSection, 1, "max_age", "not a duration"},
		"max_age a float":        {"max_age = 0.5" + authSection, 1, "max_age", "want a duration"},
		"seconds out of range":   {"max_age = 301" + authSection, 1, "max_age", "not in 0s to 5m"},
		"seconds overflow":       {"session_timeout = 9223372036854775807" + authSection, 1, "session_timeout", "not in 100ms to 24h"},
		"seconds negative":       {"idle_timeout = -1" + authSection, 1, "idle_timeout", "not in 100ms to 1h"},
		"no header timeout":      {"header_timeout = 0" + authSection, 1, "header_timeout", "not in 100ms to 5m"},
		"no session timeout":     {"session_timeout = \"0s\"" + authSection, 1, "session_timeout", "not in 100ms"},
		"body timeout of a day":  {"body_timeout = \"24h\"" + authSection, 1, "body_timeout", "not in"},
		"page of 0 rows":         {"max_page = 0" + authSection, 1, "max_page", "not in 1 to 100000"},
		"page is a string":       {"max_page = \"5000\"" + authSection, 1, "max_page", "want an integer"},
		"page is a float":        {"max_page = 5e3" + authSection, 1, "max_page", "want an integer"},
		"no snapshot":            {"max_snapshots = 0" + authSection, 1, "max_snapshots", "not in 1 to 64"},
		"body below a login":     {"max_body = 8191" + authSection, 1, "max_body", "not in 8192"},
		"body with a unit":       {"max_body = \"4M\"" + authSection, 1, "max_body", "want an integer"},
		"sessions negative":      {"max_sessions = -1" + authSection, 1, "max_sessions", "not in"},
		"connections unbounded":  {"max_connections = 1000000" + authSection, 1, "max_connections", "not in"},
		"address takes it all":   {"max_connections = 10\nmax_connections_per_address = 11" + authSection, 2, "max_connections_per_address", "more than max_connections"},
		"user takes it all":      {"max_sessions_per_user = 1025" + authSection, 1, "max_sessions_per_user", "left at its default"},
		"timeout above lifetime": {"session_lifetime = \"1m\"\nsession_timeout = \"2m\"" + authSection, 2, "session_timeout", "more than session_lifetime"},
		"web timeout above it":   {"web_session_timeout = \"13h\"" + authSection, 1, "web_session_timeout", "left at its default"},
	}
}

func badListen() map[string]badFile {
	listen := func(s, reason string) badFile {
		return badFile{"\nlisten = [\"127.0.0.1:1\",\n\"" + s + "\"]" + authSection, 2, "listen", reason}
	}
	return map[string]badFile{
		"a string":                {"listen = \"127.0.0.1:8580\"" + authSection, 1, "listen", "want an array"},
		"no address":              {"listen = []" + authSection, 1, "listen", "empty"},
		"a number":                {"listen = [8580]" + authSection, 1, "listen", "not a string"},
		"too many":                {"listen = [" + strings.Repeat("\"127.0.0.1:0\",", 65) + "]" + authSection, 1, "listen", "more than 64"},
		"given twice":             listen("127.0.0.1:1", "given twice"),
		"where metrics are":       {"listen = [\"127.0.0.1:1\"]\n[metrics]\nlisten = [\"127.0.0.1:2\", \"127.0.0.1:1\"]" + authSection, 1, "listen", "metrics are served"},
		"plain where metrics are": {"listen = [\"plain:127.0.0.1:1\"]\n[metrics]\nlisten = [\"127.0.0.1:1\"]" + authSection, 1, "listen", "metrics are served"},
		"given as IPv4-in-6":      listen("[::ffff:127.0.0.1]:1", "given twice"),
		"empty":                   listen("", "want"),
		"port alone":              listen(":8580", "0.0.0.0"),
		"a name":                  listen("localhost:8580", "127.0.0.1"),
		"another name":            listen("fw.example:8580", "not looked up"),
		"no port":                 listen("127.0.0.1", "port is missing"),
		"IPv6 without port":       listen("::1", "port is missing"),
		"port name":               listen("127.0.0.1:http", "0 to 65535"),
		"port out of range":       listen("127.0.0.1:65536", "0 to 65535"),
		"port empty":              listen("127.0.0.1:", "0 to 65535"),
		"IPv6 in no brackets":     listen("2001:db8:0:0:0:0:0:1:80", "want"),
		"a path":                  listen("/run/x.sock", "unix:"),
		"a URL":                   listen("http://127.0.0.1:8580", "want"),
		"unix without path":       listen("unix:", "empty"),
		"unix relative":           listen("unix:x.sock", "begin with /"),
		"unix as a URL":           listen("unix:///run/x.sock", "shortest form"),
		"unix with dots":          listen("unix:/run/../x", "shortest form"),
		"unix abstract":           listen("unix:@x", "begin with /"),
		"unix with NUL":           listen(`unix:/a\u0000b`, "NUL"),
		"unix too long":           listen("unix:/"+strings.Repeat("x", 107), "108 bytes"),

		"every address":     listen("0.0.0.0:8580", "plain text"),
		"every IPv6":        listen("[::]:8580", "plain text"),
		"another address":   listen("192.0.2.1:8580", "allow_plaintext"),
		"IPv6":              listen("[2001:db8::1]:8580", "plain text"),
		"link-local":        listen("[fe80::1%eth0]:8580", "plain text"),
		"unwisely plain":    {"listen = [\"192.0.2.1:1\"]\nallow_plaintext = true\n[auth]\nbackend = \"none\"", 1, "listen", "lets everybody in"},
		"none for everyone": {"listen = [\"[::]:1\"]\n[auth]\nbackend = \"none\"", 1, "listen", "lets everybody in"},
	}
}

func badAuth() map[string]badFile {
	return map[string]badFile{
		"backend missing":          {"[auth]\nfile = \"/p\"", 1, "auth", "backend is missing"},
		"backend a boolean":        {"[auth]\nbackend = false", 2, "auth.backend", "want a string"},
		"backend empty":            {"[auth]\nbackend = \"\"", 2, "auth.backend", "not known"},
		"backend in another case":  {"[auth]\nbackend = \"None\"", 2, "auth.backend", "not known"},
		"file without path":        {"[auth]\nbackend = \"file\"", 1, "auth", "password file"},
		"file with an empty path":  {"[auth]\nbackend = \"file\"\nfile = \"\"", 3, "auth.file", "absolute"},
		"file with a number":       {"[auth]\nbackend = \"file\"\nfile = 1", 3, "auth.file", "want a string"},
		"file with relative path":  {"[auth]\nbackend = \"file\"\nfile = \"passwd\"", 3, "auth.file", "absolute"},
		"file with NUL":            {"[auth]\nbackend = \"file\"\nfile = \"/a\\u0000\"", 3, "auth.file", "absolute"},
		"none with a file":         {"[auth]\nbackend = \"none\"\nfile = \"/p\"", 3, "auth.file", "no password"},
		"none with roles by name":  {"[auth]\nbackend = \"none\"\n[auth.roles]\nann = \"viewer\"", 3, "auth.roles", "proves no name"},
		"role unknown":             {authSection + "role = \"root\"", 5, "auth.role", "viewer, operator, admin"},
		"role in another case":     {authSection + "role = \"Admin\"", 5, "auth.role", "not a role"},
		"role a list":              {authSection + "role = [\"admin\"]", 5, "auth.role", "want a string"},
		"roles a string":           {authSection + "roles = \"admin\"", 5, "auth.roles", "want a table"},
		"user with unknown role":   {authSection + "[auth.roles]\nann = \"viewer\"\nbob = \"boss\"", 7, "auth.roles.bob", "not a role"},
		"user with a table":        {authSection + "[auth.roles.bob]\nx = 1", 5, "auth.roles.bob", "want a string"},
		"user with control":        {authSection + "[auth.roles]\n\"a\\u001b\" = \"viewer\"", 6, "auth.roles.\"a\\u001b\"", "control"},
		"user with empty name":     {authSection + "[auth.roles]\n\"\" = \"viewer\"", 5, "auth.roles", "empty"},
		"user with colon":          {authSection + "[auth.roles]\n\"a:b\" = \"viewer\"", 6, "auth.roles.\"a:b\"", "colon"},
		"user twice":               {authSection + "[auth.roles]\nann = \"viewer\"\nann = \"admin\"", 7, "auth.roles.ann", "already"},
		"users beyond all measure": {authSection + "[auth.roles]\n" + manyUsers(10_001), 5, "auth.roles", "more than 10000"},
	}
}

func manyUsers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "u%d = \"viewer\"\n", i)
	}
	return b.String()
}

func TestParseRefuses(t *testing.T) {
	for kind, tests := range map[string]map[string]badFile{
		"structure": badStructure(), "root": badRoot(), "listen": badListen(), "auth": badAuth(),
		"tls": badTLS(), "proxy": badProxy(), "ways": badWays(),
	} {
		for name, test := range tests {
			t.Run(kind+"/"+name, func(t *testing.T) {
				c, err := Parse([]byte(test.text), "/etc/f.toml", Override{})
				e := blamed(err, test)
				if e == nil || c != nil {
					t.Fatalf("got %v and error %v, want an *Error", c, err)
				}
				if e.File != "/etc/f.toml" || e.Line != test.line || e.Key != test.key {
					t.Errorf("blamed %q line %d key %q, want line %d key %q\n%v", e.File, e.Line, e.Key, test.line, test.key, err)
				}
				if e.Reason == "" || !strings.Contains(e.Reason, test.reason) || len(e.Error()) > 1000 {
					t.Errorf("message %.1000q, want it short and with %q", e, test.reason)
				}
			})
		}
	}
}

// blamed returns the mistake that is wanted, or the first one: a mistake may be the cause of others,
// which stand above it.
func blamed(err error, want badFile) (e *Error) {
	var all Errors
	if errors.As(err, &all) {
		for _, e := range all {
			if e.Line == want.line && e.Key == want.key {
				return e
			}
		}
	}
	errors.As(err, &e)
	return e
}

func TestOverrideRefuses(t *testing.T) {
	tests := map[string]struct {
		text   string
		o      Override
		reason string
	}{
		"no address":        {authSection, Override{Listen: "8580"}, "want"},
		"a name":            {authSection, Override{Listen: "localhost:1"}, "127.0.0.1"},
		"plain text":        {authSection, Override{Listen: "0.0.0.0:1"}, "plain text"},
		"nobody asked":      {"[auth]\nbackend = \"none\"", Override{Listen: "192.0.2.1:1"}, "lets everybody in"},
		"path too long":     {authSection, Override{Privd: "/" + strings.Repeat("x", 107)}, "108 bytes"},
		"path with NUL":     {authSection, Override{Privd: "/a\x00"}, "NUL"},
		"where metrics are": {"[metrics]\nlisten = [\"unix:/run/x\"]" + authSection, Override{Listen: "unix:/run/x"}, "metrics are served"},
		"control sequence":  {authSection, Override{Listen: "\x1b[2J"}, "want"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Parse([]byte(test.text), "f", test.o)
			if err == nil || c != nil || !strings.HasPrefix(err.Error(), "--") || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v and error %v, want one of the flag with %q", c, err, test.reason)
			}
			if strings.ContainsAny(fmt.Sprint(err), "\x1b\x00") {
				t.Errorf("control characters in %q", err)
			}
		})
	}
}
