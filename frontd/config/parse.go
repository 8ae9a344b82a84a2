// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"nuconntrack/frontd/listen"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// An Error says which file, line and key is wrong, and why. Line is 0 and Key empty where
// there is none to blame. For an Override File is the flag.
type Error = strict.Error

// Errors are all mistakes of a configuration that has more than one.
type Errors = strict.Errors

// Override has the flags that replace keys of the file, whatever stands there. Empty ones
// replace nothing.
type Override struct {
	Listen string // one address, as in the file
	Privd  string // a path; a relative one begins at the working directory
}

// Load reads the file at path, and those of the folder beside it that DropIns names. Others must
// not be able to write them: they could let themselves in. Errors but those of the file system
// are an *Error, or Errors, one for each mistake.
func Load(path string, o Override) (*Config, error) {
	parts := make([]strict.Part, 1)
	var err error
	if parts[0], err = readPart(path); err != nil {
		return nil, err
	}
	names, err := dropIns(DropIns(path))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		part, err := readPart(name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parse(strict.ReadAll(parts...), o)
}

func readPart(path string) (strict.Part, error) {
	// O_NONBLOCK: opening a named pipe must not hang.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return strict.Part{}, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return strict.Part{}, fmt.Errorf("read configuration: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return strict.Part{}, &Error{File: path, Reason: "not a regular file"}
	case info.Mode()&othersWrite != 0:
		return strict.Part{}, &Error{File: path, Reason: fmt.Sprintf("mode is %#o: others may write it", info.Mode().Perm())}
	}
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxFileSize+1)) // strict refuses one too large
	if err != nil {
		return strict.Part{}, fmt.Errorf("read configuration: %w", err)
	}
	return strict.Part{Name: path, Data: data}, nil
}

// Parse reads a configuration (TOML 1.0, at most 1 MiB). name stands in errors only, each of which
// is an *Error, or Errors.
func Parse(data []byte, name string, o Override) (*Config, error) {
	return parse(strict.Read(data, name), o)
}

func parse(root strict.Table, o Override) (*Config, error) {
	if err := root.Err(); err != nil {
		return nil, err
	}
	root.Only(rootKeys()...)
	c := &Config{}
	for _, k := range toggles() {
		*k.at(c) = k.standard
		if root.Has(k.key) {
			*k.at(c) = root.Boolean(k.key)
		}
	}
	for _, k := range spans() {
		*k.at(c) = duration(root, k)
	}
	for _, k := range numbers() {
		k.set(c, root.Integer(k.key, k.standard, k.least, k.most))
	}
	privd, err := o.path()
	if err != nil {
		return nil, err
	}
	if c.Privd = privd; privd == "" {
		c.Privd = parsePrivd(root)
	}
	c.User, c.UserGiven = parseUser(root)
	c.Log = parseLog(root)
	c.Metrics = parseMetrics(root)
	c.Hosts = parseHosts(root)
	c.Marks = parseMarks(root)
	c.Hide = parseHide(root, c.Marks)
	c.Roles = policy.ReadRoles(root)
	c.TLS = parseTLS(root)
	c.Proxy = parseProxy(root, root.Table("auth").Text("backend"))
	c.Auth = parseAuth(root, c)
	combine(root, c)
	// Last, since whether an address is acceptable depends on the rest.
	if c.Listen, err = parseListen(root, c, o); err != nil {
		return nil, err
	}
	return c, nil
}

// duration reads "1m30s", or a number of seconds.
func duration(t strict.Table, k span) time.Duration {
	var d time.Duration
	switch v := t.Value(k.key).(type) {
	case nil:
		return k.standard
	case int64:
		if v < 0 || v > int64(k.most/time.Second) {
			t.Fail(k.key, "%d seconds are not in %s to %s", v, short(k.least), short(k.most))
			return k.standard
		}
		d = time.Duration(v) * time.Second
	case string:
		var err error
		if d, err = time.ParseDuration(v); err != nil {
			t.Fail(k.key, "%s is not a duration such as \"90s\", \"15m\" or \"12h\"", strict.Quote(v))
			return k.standard
		}
	default:
		t.Fail(k.key, "want a duration such as \"90s\" or a number of seconds, not %s", strict.Kind(v))
		return k.standard
	}
	if d < k.least || d > k.most {
		t.Fail(k.key, "%s is not in %s to %s", d, short(k.least), short(k.most))
	}
	return d
}

// short writes a duration without the zeros at its end: 12h, not 12h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// path returns the socket that --privd names, "" without the flag.
func (o Override) path() (string, error) {
	if o.Privd == "" {
		return "", nil
	}
	path, err := filepath.Abs(o.Privd)
	if err == nil {
		err = listen.CheckUnixPath(path)
	}
	if err != nil {
		return "", &Error{File: "--privd", Reason: fmt.Sprintf("%s: %v", strict.Quote(o.Privd), err)}
	}
	return path, nil
}

func parseLog(t strict.Table) (l Log) {
	level := choice(t, "log_level", "info", logLevels())
	// It cannot fail: choice gives one of the names of slog, in lower case.
	_ = l.Level.UnmarshalText([]byte(level))
	l.Format = choice(t, "log_format", "text", logFormats())
	return l
}

// choice reads one of a few words.
func choice(t strict.Table, key, standard string, known []string) string {
	if !t.Has(key) {
		return standard
	}
	word := t.Text(key)
	if !slices.Contains(known, word) {
		t.Fail(key, "%s is none of %s", strict.Quote(word), strings.Join(known, ", "))
		return standard
	}
	return word
}

func parsePrivd(t strict.Table) string {
	if !t.Has("privd") {
		return defaultPrivd
	}
	path := t.Text("privd")
	if err := listen.CheckUnixPath(path); err != nil {
		t.Fail("privd", "%s is not the path of a socket: %v", strict.Quote(path), err)
	}
	return path
}

func parseUser(t strict.Table) (user string, given bool) {
	if !t.Has("user") {
		return defaultUser, false
	}
	user = t.Text("user")
	if user != "" && strings.Trim(user, "0123456789") == "" {
		// (uid_t)-1 stands for 'leave as it is' in setresuid(2).
		if n, err := strconv.ParseUint(user, 10, 32); err != nil || n == 1<<32-1 {
			t.Fail("user", "%s is not a uid", strict.Quote(user))
		} else if n == 0 {
			t.Fail("user", "the daemon does not run as root")
		}
		return user, true
	}
	switch {
	case user == "root":
		t.Fail("user", "the daemon does not run as root")
	case len(user) > maxUserName || !only(user, "_.-") || user == "" || user[0] == '-':
		t.Fail("user", "%s is neither the name of a user, nor a uid, nor \"self\"", strict.Quote(user))
	}
	return user, true
}

// only reports whether s consists of ASCII letters, digits and what more has.
func only(s, more string) bool {
	for _, b := range []byte(s) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', strings.IndexByte(more, b) >= 0:
		default:
			return false
		}
	}
	return true
}

func parseHosts(t strict.Table) []string {
	list := t.List("hosts")
	if len(list) > maxHosts {
		t.Fail("hosts", "more than %d names", maxHosts)
		return nil
	}
	var hosts []string
	for _, v := range list {
		s, ok := v.(string)
		name := strings.ToLower(strings.TrimSuffix(s, "."))
		switch {
		case !ok:
			t.Fail("hosts", "%s is not a string with the name of a host", strict.Show(v))
		case strings.Contains(name, "*"):
			t.Fail("hosts", "%s: patterns are not known, every name has to be listed", strict.Quote(s))
		case strings.Contains(name, ":"):
			t.Fail("hosts", "%s: names stand without a port, and IP addresses need no entry", strict.Quote(s))
		case name == "" || len(name) > maxHostName || !only(name, "-._"):
			t.Fail("hosts", "%s is not the name of a host (international ones are written xn--...)", strict.Quote(s))
		}
		hosts = append(hosts, name)
	}
	return hosts
}

// parseListen returns the addresses; those that must not be used are errors.
func parseListen(t strict.Table, c *Config, o Override) ([]listen.Address, error) {
	if o.Listen != "" {
		if err := t.Err(); err != nil {
			return nil, err // what else is wrong may decide about the address
		}
		a, err := listen.ParseAddress(o.Listen)
		if err == nil {
			err = c.checkListen(a)
		}
		if err != nil {
			return nil, &Error{File: "--listen", Reason: fmt.Sprintf("%s: %v", strict.Quote(o.Listen), err)}
		}
		return []listen.Address{a}, nil
	}
	list := t.List("listen")
	if !t.Has("listen") {
		list = []any{defaultListen}
	} else if len(list) == 0 {
		t.Fail("listen", "the array is empty; leave the key out for %s", defaultListen)
	}
	right := t.Err() == nil // what else is wrong may decide about addresses
	addresses := parseAddresses(t, list, func(a listen.Address) error {
		if !right {
			return nil
		}
		return c.checkListen(a)
	})
	return addresses, t.Err()
}

// checkListen says why not to listen on an address.
func (c *Config) checkListen(a listen.Address) error {
	for _, m := range c.Metrics.Listen {
		m.Plain = a.Plain
		if m == a && (a.Unix != "" || a.TCP.Port() != 0) {
			return errors.New("metrics are served there: they have a listener of their own")
		}
	}
	return c.CheckListener(a.Net(), a.Plain)
}

// parseAddresses reads the addresses at the key listen. refuse says why one must not be used.
func parseAddresses(t strict.Table, list []any, refuse func(listen.Address) error) (addresses []listen.Address) {
	if len(list) > maxListen {
		t.Fail("listen", "more than %d addresses", maxListen)
		return nil
	}
	seen := map[listen.Address]bool{}
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			t.Fail("listen", "%s is not a string with an address", strict.Show(v))
			break
		}
		a, err := listen.ParseAddress(s)
		if err == nil {
			err = refuse(a)
		}
		same := a
		same.Plain = false
		if err == nil && seen[same] && (a.Unix != "" || a.TCP.Port() != 0) {
			err = errors.New("given twice")
		}
		if err != nil {
			t.Fail("listen", "%s: %v", strict.Quote(s), err)
			break
		}
		seen[same] = true
		addresses = append(addresses, a)
	}
	return addresses
}

// parseMetrics reads [metrics].
func parseMetrics(root strict.Table) Metrics {
	t := root.Table("metrics")
	t.Only(metricsKeys()...)
	return Metrics{Listen: parseAddresses(t, t.List("listen"), func(a listen.Address) error {
		if a.Plain {
			return errors.New("TLS is not spoken there in any case: leave \"plain:\" out")
		}
		return nil
	})}
}
