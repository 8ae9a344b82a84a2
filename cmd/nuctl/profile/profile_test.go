// SPDX-License-Identifier: GPL-2.0-or-later

package profile

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const good = `default = "edge"

[profile.edge]
server        = "https://edge.example.org/RPC2"
user          = "alice"
password_file = "~/edge.pw"
ca_file       = "ca.pem"
timeout       = "30s"

[profile.here]
server           = "unix:/run/nuconntrack/frontd.sock"
password_command = "pass show here"
http_auth        = "never"
`

func TestParse(t *testing.T) {
	set, err := Parse([]byte(good), "/etc/x/nuctl.toml", "/home/alice")
	if err != nil {
		t.Fatal(err)
	}
	edge, _ := set.Named("edge")
	want := map[string]string{
		Server: "https://edge.example.org/RPC2", User: "alice", PasswordFile: "/home/alice/edge.pw",
		CAFile: "/etc/x/ca.pem", Timeout: "30s",
	}
	if !maps.Equal(edge.Values, want) {
		t.Errorf("edge is %v", edge.Values)
	}
	if names := set.Names(); set.Default != "edge" || !slices.Equal(names, []string{"edge", "here"}) {
		t.Errorf("default %q of %v", set.Default, names)
	}
}

func TestParseRefuses(t *testing.T) {
	const server = "server = 'http://127.0.0.1'\n"
	tests := map[string]struct{ text, says string }{
		"not TOML":                  {"[profile.a]\nserver =\n", "line 2"},
		"unknown key":               {"[profile.a]\n" + server + "usr = 'x'\n", "line 3: key profile.a.usr: unknown key"},
		"unknown key outside":       {"defualt = 'a'\n", "line 1: key defualt"},
		"a password":                {"[profile.a]\n" + server + "password = 'hunter2'\n", "line 3: key profile.a.password: a password does not stand"},
		"no server":                 {"[profile.a]\nuser = 'x'\n", "line 1: key profile.a: a profile is a firewall"},
		"nothing in a profile":      {"[profile.a]\n", "server is missing"},
		"a number for a user":       {"[profile.a]\n" + server + "user = 7\n", "line 3: key profile.a.user"},
		"an empty user":             {"[profile.a]\n" + server + "user = ''\n", "line 3: key profile.a.user: is empty"},
		"a profile that is none":    {"[profile]\na = 'x'\n", "line 2: key profile.a: want a table"},
		"profiles as an array":      {"[[profile]]\nserver = 'x'\n", "want a table"},
		"a name with blanks":        {"[profile.'a b']\n" + server, "name of a profile"},
		"a name that steers":        {"[profile.\"a\\u001b\"]\n" + server, "name of a profile"},
		"a long name":               {"[profile." + strings.Repeat("a", 65) + "]\n" + server, "at most 64"},
		"two passwords":             {"[profile.a]\n" + server + "password_file = 'x'\npassword_command = 'y'\n", "line 4: key profile.a.password_command"},
		"control characters":        {"[profile.a]\n" + server + "user = \"a\\u0000\"\n", "control characters"},
		"two lines in a name":       {"[profile.a]\n" + server + "user = \"a\\nb\"\n", "control characters"},
		"a value too long":          {"[profile.a]\n" + server + "user = '" + strings.Repeat("a", 4097) + "'\n", "4096"},
		"http_auth of another kind": {"[profile.a]\n" + server + "http_auth = 'digest'\n", "line 3: key profile.a.http_auth: must be auto, basic or never"},
		"timeout without a unit":    {"[profile.a]\n" + server + "timeout = '30'\n", "such as 30s"},
		"timeout 0":                 {"[profile.a]\n" + server + "timeout = '0s'\n", "more than 0"},
		"a key twice":               {"[profile.a]\n" + server + server, "line 3"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(test.text), "f.toml", "")
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("default = 'x'\n[profile.x]\nserver='y'\npassword='z'\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Parse(data, "f.toml", "/home/x")
		if err != nil {
			return
		}
		for _, p := range set.Profiles {
			if p.Values[Server] == "" || !validName(p.Name) {
				t.Errorf("profile %q with %v", p.Name, p.Values)
			}
			for key, text := range p.Values {
				if Check(key, text) != nil {
					t.Errorf("%s: %q passed", key, text)
				}
			}
		}
	})
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mine := write("mine", "[profile.a]\nserver = 'http://127.0.0.1:1'\n", 0o600)
	system := write("system", "default = 'a'\n[profile.a]\nserver = 'http://127.0.0.1:2'\n[profile.b]\nserver = 'http://127.0.0.1:3'\n", 0o644)
	set, err := Load([]string{mine, filepath.Join(dir, "none"), system}, "")
	if a, _ := set.Named("a"); err != nil || a.Values[Server] != "http://127.0.0.1:1" || set.Default != "a" || len(set.Profiles) != 2 || len(set.Files) != 2 {
		t.Errorf("%+v, %v", set, err)
	}
	if set, err := Load([]string{filepath.Join(dir, "none")}, ""); err != nil || len(set.Files) != 0 {
		t.Errorf("no file: %+v, %v", set, err)
	}
	for name, test := range map[string]struct{ path, says string }{
		"others may write":     {write("w", good, 0o646), "chmod go-w"},
		"the group may write":  {write("g", good, 0o664), "chmod go-w"},
		"a folder":             {dir, "not a regular file"},
		"default of nothing":   {write("d", "default = 'x'\n", 0o600), `no profile "x"`},
		"larger than a file":   {write("l", strings.Repeat("#", 1<<20+1), 0o600), "larger"},
		"wrong in some way":    {write("s", "x = 1\n", 0o600), "line 1"},
		"where no folder is":   {filepath.Join(mine, "x"), "read settings"},
		"not so in the second": {write("n", "[profile.x]\nserver = 1\n", 0o600), "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Load([]string{mine, test.path}, ""); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"home":           {map[string]string{"HOME": "/home/a"}, "/home/a/.config/nuctl/config.toml " + SystemFile},
		"XDG":            {map[string]string{"HOME": "/home/a", "XDG_CONFIG_HOME": "/x"}, "/x/nuctl/config.toml " + SystemFile},
		"XDG of nothing": {map[string]string{"HOME": "/home/a", "XDG_CONFIG_HOME": "x"}, "/home/a/.config/nuctl/config.toml " + SystemFile},
		"nothing":        {nil, SystemFile},
	} {
		if got := strings.Join(Paths(func(k string) string { return test.env[k] }), " "); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestResolve(t *testing.T) {
	layer := func(name string, pairs ...string) Layer {
		l := Layer{Name: name, Values: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			l.Values[pairs[i]] = pairs[i+1]
		}
		return l
	}
	file := layer("file", Server, "s3", User, "u3", PasswordFile, "p3", CertFile, "c3", KeyFile, "k3")
	for name, test := range map[string]struct {
		layers []Layer
		want   map[string]string
	}{
		"nothing":                         {nil, map[string]string{}},
		"the file alone":                  {[]Layer{file}, map[string]string{Server: "s3", User: "u3", PasswordFile: "p3", CertFile: "c3", KeyFile: "k3"}},
		"the first goes before":           {[]Layer{layer("f", Server, "s1"), layer("e", Server, "s2", Timeout, "1s"), file}, map[string]string{Server: "s1", Timeout: "1s", User: "u3", PasswordFile: "p3", CertFile: "c3", KeyFile: "k3"}},
		"another user has another secret": {[]Layer{layer("f", User, "u1"), file}, map[string]string{Server: "s3", User: "u1", CertFile: "c3", KeyFile: "k3"}},
		"the same user has the same":      {[]Layer{layer("f", User, "u3"), file}, map[string]string{Server: "s3", User: "u3", PasswordFile: "p3", CertFile: "c3", KeyFile: "k3"}},
		"a secret of nobody is anybody's": {[]Layer{layer("f", User, "u1"), layer("e", PasswordFile, "p2"), file}, map[string]string{Server: "s3", User: "u1", PasswordFile: "p2", CertFile: "c3", KeyFile: "k3"}},
		"a command hides a file":          {[]Layer{layer("f", PasswordCommand, "p1"), file}, map[string]string{Server: "s3", User: "u3", PasswordCommand: "p1", CertFile: "c3", KeyFile: "k3"}},
		"a key is its certificate's":      {[]Layer{layer("f", CertFile, "c1"), file}, map[string]string{Server: "s3", User: "u3", PasswordFile: "p3", CertFile: "c1"}},
		"a certificate gets a key":        {[]Layer{layer("f", KeyFile, "k1"), file}, map[string]string{Server: "s3", User: "u3", PasswordFile: "p3", CertFile: "c3", KeyFile: "k1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Resolve(test.layers)
			got := map[string]string{}
			for k, v := range s {
				got[k] = v.Text
			}
			if err != nil || !maps.Equal(got, test.want) {
				t.Errorf("%v, %v, want %v", got, err, test.want)
			}
		})
	}
	if _, err := Resolve([]Layer{layer("f", PasswordFile, "a", PasswordCommand, "b")}); err == nil || !strings.Contains(err.Error(), "exclude each other") {
		t.Errorf("two passwords: %v", err)
	}
}
