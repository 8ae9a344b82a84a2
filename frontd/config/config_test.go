// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nuconntrack/policy/strict"
)

// smallest is the example of the interface's description, letter for letter.
const smallest = `    listen = ["127.0.0.1:8580"]            # or "unix:/run/nuconntrack/frontd.sock"
    privd  = "/run/nuconntrack-privd/privd.sock"

    [auth]
    backend = "file"                       # none | file | ldap | proxy | tls
    file    = "/etc/nuconntrack/passwd"
`

func mustParse(t testing.TB, text string) *Config {
	t.Helper()
	c, err := Parse([]byte(text), "f.toml", Override{})
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return c
}

func TestSmallest(t *testing.T) {
	c := mustParse(t, smallest)
	if len(c.Listen) != 1 || c.Listen[0].String() != "127.0.0.1:8580" || c.Privd != "/run/nuconntrack-privd/privd.sock" {
		t.Errorf("listen %v, privd %q", c.Listen, c.Privd)
	}
	if c.User != "nuconntrack" || c.UserGiven {
		t.Errorf("user %q, given %v", c.User, c.UserGiven)
	}
	if c.Auth.Backend != BackendFile || c.Auth.File != "/etc/nuconntrack/passwd" || c.Auth.RoleOf("ann").Name != "admin" {
		t.Errorf("auth %+v", c.Auth)
	}
	if want := (View{MaxPage: 5000, MaxAge: time.Second, MaxSnapshots: 4}); c.View != want {
		t.Errorf("view %+v, want %+v", c.View, want)
	}
	if s := c.Sessions; s.Timeout != 10*time.Second || s.WebTimeout != 15*time.Minute || s.Lifetime != 12*time.Hour {
		t.Errorf("sessions %+v", s)
	}
	if c.Connections.MaxBody != 4<<20 || c.Multicall || c.ReadOnly || c.AllowPlaintext {
		t.Errorf("got %+v", c)
	}
}

// TestReference keeps the shipped file true: it has every key, and every default.
func TestReference(t *testing.T) {
	c := mustParse(t, Reference())
	if !c.UserGiven {
		t.Error("the reference does not give user")
	}
	c.UserGiven = false
	if want := mustParse(t, smallest); !reflect.DeepEqual(c, want) {
		t.Errorf("the reference means\n%s\nthe defaults are\n%s", c, want)
	}
	if list := mustParse(t, "[auth]\nbackend=\"none\"").Listen; !reflect.DeepEqual(list, c.Listen) {
		t.Errorf("listen is %v in the reference, %v by default", c.Listen, list)
	}
	root := strict.Read([]byte(Reference()), "reference")
	examples := []string{"tls", "proxy", "ldap", "local", "class"} // sections that TestReferenceSections has
	for _, key := range rootKeys() {
		if !root.Has(key) && !slices.Contains(examples, key) {
			t.Errorf("the reference lacks %s", key)
		}
	}
	for _, key := range authKeys() {
		if !root.Table("auth").Has(key) && !slices.Contains(examples, key) {
			t.Errorf("the reference lacks auth.%s", key)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	tests := map[string]struct {
		text string
		ok   func(c *Config) bool
	}{
		"durations": {"max_age = 0\nsession_timeout = 60\nbody_timeout = \"1m30s\"" + authSection, func(c *Config) bool {
			return c.View.MaxAge == 0 && c.Sessions.Timeout == time.Minute && c.Connections.Body == 90*time.Second
		}},
		"self":                 {"user = \"self\"" + authSection, func(c *Config) bool { return c.User == SelfUser && c.UserGiven }},
		"uid":                  {"user = \"1000\"" + authSection, func(c *Config) bool { return c.User == "1000" }},
		"name like the system": {"user = \"_dns-1.x\"" + authSection, func(c *Config) bool { return c.User == "_dns-1.x" }},
		"hosts": {"hosts = [\"FW.Example.\", \"xn--bcher-kva\"]" + authSection, func(c *Config) bool {
			return c.HostAllowed("fw.example") && c.HostAllowed("FW.EXAMPLE.") && c.HostAllowed("xn--bcher-kva") &&
				!c.HostAllowed("example") && !c.HostAllowed("") && !c.HostAllowed("a.fw.example")
		}},
		"none on loopback": {"listen = [\"[::1]:80\", \"127.9.9.9:0\", \"127.0.0.1:0\", \"127.0.0.1:0\", \"unix:/run/x\"]\n[auth]\nbackend = \"none\"\nrole = \"viewer\"", func(c *Config) bool {
			return len(c.Listen) == 5 && c.Listen[4].Unix == "/run/x" && c.Auth.RoleOf("admin").Name == "viewer"
		}},
		"plain text accepted": {"allow_plaintext = true\nlisten = [\"[::]:8580\", \"0.0.0.0:8580\"]" + authSection, func(c *Config) bool {
			return c.AllowPlaintext && len(c.Listen) == 2
		}},
		"roles": {authSection + "role = \"viewer\"\n[auth.roles]\nann = \"operator\"\n\"jörg\" = \"admin\"", func(c *Config) bool {
			return c.Auth.RoleOf("ann").Name == "operator" && c.Auth.RoleOf("jörg").Name == "admin" &&
				c.Auth.RoleOf("Ann").Name == "viewer" && c.Auth.RoleOf("").Name == "viewer"
		}},
		"defaults fit what is given": {"max_connections = 5\nmax_sessions = 3\nsession_lifetime = \"5s\"" + authSection, func(c *Config) bool {
			return c.Connections.MaxPerAddress == 5 && c.Sessions.MaxPerUser == 3 &&
				c.Sessions.Timeout == 5*time.Second && c.Sessions.WebTimeout == 5*time.Second
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := mustParse(t, test.text)
			if !test.ok(c) {
				t.Errorf("understood as\n%s", c)
			}
			text := c.String()
			if again := mustParse(t, text); !reflect.DeepEqual(again, c) {
				t.Errorf("printed and read back:\n%s\nbefore\n%s", again, text)
			}
		})
	}
}

func TestOverride(t *testing.T) {
	// The file's own values are not looked at, bad as they are.
	text := "listen = [\"0.0.0.0:1\"]\nprivd = \"x\"" + authSection
	c, err := Parse([]byte(text), "f", Override{Listen: "unix:/run/a", Privd: "/run/b"})
	if err != nil || len(c.Listen) != 1 || c.Listen[0].Unix != "/run/a" || c.Privd != "/run/b" {
		t.Errorf("got %v, error %v", c, err)
	}
	t.Chdir("/tmp")
	c, err = Parse([]byte(authSection), "f", Override{Privd: "./b.sock"})
	if err != nil || c.Privd != "/tmp/b.sock" {
		t.Errorf("relative path: %v, error %v", c, err)
	}
}

func TestCheckListener(t *testing.T) {
	tcp := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }
	none := mustParse(t, "allow_plaintext = true\n[auth]\nbackend = \"none\"")
	file := mustParse(t, authSection)
	plain := mustParse(t, "allow_plaintext = true"+authSection)
	tests := map[string]struct {
		c    *Config
		addr net.Addr
		want error
	}{
		"none, loopback":       {none, tcp("127.0.0.1"), nil},
		"none, IPv6 loopback":  {none, tcp("::1"), nil},
		"none, Unix":           {none, &net.UnixAddr{Name: "/x", Net: "unix"}, nil},
		"none, IPv4-in-6":      {none, tcp("::ffff:127.0.0.1"), nil},
		"none, wildcard":       {none, tcp("0.0.0.0"), ErrNoAuthentication},
		"none, IPv6 wildcard":  {none, tcp("::"), ErrNoAuthentication},
		"none, no address":     {none, &net.TCPAddr{}, ErrNoAuthentication},
		"none, another kind":   {none, &net.UDPAddr{IP: net.ParseIP("127.0.0.1")}, ErrNoAuthentication},
		"none, nothing":        {none, nil, ErrNoAuthentication},
		"file, loopback":       {file, tcp("127.0.0.1"), nil},
		"file, Unix":           {file, &net.UnixAddr{}, nil},
		"file, wildcard":       {file, tcp("::"), ErrPlaintext},
		"file, private":        {file, tcp("10.0.0.1"), ErrPlaintext},
		"file, accepted plain": {plain, tcp("10.0.0.1"), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := test.c.CheckListener(test.addr, false); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if w := plain.ListenerWarning(tcp("10.0.0.1"), false); !strings.Contains(w, "10.0.0.1") {
		t.Errorf("warned of plain text with %q", w)
	}
	if w := plain.ListenerWarning(tcp("127.0.0.1"), false); w != "" {
		t.Errorf("warned of loopback with %q", w)
	}
}

func TestLoad(t *testing.T) {
	write := func(text string, mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]struct {
		make func(t *testing.T, path string)
		want string // "": loads
	}{
		"good":            {write(smallest, 0o644), ""},
		"empty":           {write("", 0o644), "section is missing"},
		"wrong":           {write("x = 1"+authSection, 0o640), "line 1: key x: unknown key"},
		"others write it": {write(smallest, 0o646), "others may write it"},
		"too large":       {write(strings.Repeat("#\n", 1<<20), 0o644), "larger than"},
		"not there":       {func(*testing.T, string) {}, "no such file"},
		"folder":          {func(t *testing.T, path string) { check(t, os.Mkdir(path, 0o755)) }, "not a regular file"},
		"pipe":            {func(t *testing.T, path string) { check(t, unix.Mkfifo(path, 0o600)) }, "not a regular file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "frontd.toml")
			test.make(t, path)
			c, err := Load(path, Override{})
			if test.want == "" {
				if err != nil || c == nil {
					t.Errorf("got %v, error %v", c, err)
				}
				return
			}
			if c != nil || err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, error %v; want the file's name and %q", c, err, test.want)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		smallest, Reference(), authSection, "[auth]\nbackend = 'none'\nrole = 'viewer'",
		"listen = ['unix:/a\\b', \"[fe80::1%e]:0\"]\nallow_plaintext = true\nmax_age = 1e3" + authSection,
		"user = 'self'\nhosts = ['A.', '']\nsession_lifetime = 1\nmax_body = 8192" + authSection,
		authSection + "roles = {\"\\u00f6\" = 'viewer', b = 1}",
		"header_timeout = '1ns'\nidle_timeout = '0x1s'" + authSection,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data, "f", Override{})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || c != nil || len(err.Error()) > 51*2000 || strings.ContainsAny(e.Error(), "\x1b\n\x00") {
				t.Fatalf("got %v, %q", c, err)
			}
			return
		}
		again, err := Parse([]byte(c.String()), "f", Override{})
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("read back: %v\n%s\nfrom\n%s", err, again, c)
		}
		for _, a := range c.Listen {
			if err := c.CheckListener(a.Net(), a.Plain); err != nil {
				t.Fatalf("accepted %s: %v", a, err)
			}
		}
	})
}
