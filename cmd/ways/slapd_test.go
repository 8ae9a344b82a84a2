// SPDX-License-Identifier: GPL-2.0-or-later

//go:build ways

package ways

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
)

// strange is a user whose name would be a filter of its own.
const strange = "*)(uid=*"

const entries = `dn: dc=example,dc=org
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=searcher,dc=example,dc=org
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: searcher
userPassword: searching

dn: uid=ann,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann
sn: A
userPassword: horse ann

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: B
userPassword: horse bob

dn: uid=cid,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: cid
cn: Cid
sn: C
userPassword: horse cid

dn: uid=*)(uid\3D*,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: *)(uid=*
cn: Strange
sn: S
userPassword: horse strange

dn: cn=one,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin
cn: one
sn: T
userPassword: horse twin

dn: cn=two,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin
cn: two
sn: T
userPassword: horse twin

dn: cn=elsewhere,ou=people,dc=example,dc=org
objectClass: referral
objectClass: extensibleObject
cn: elsewhere
uid: ref
ref: ldap://127.0.0.1:1/uid=ref,ou=people,dc=example,dc=org

dn: cn=operators,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: operators
member: uid=ann,ou=people,dc=example,dc=org
member: uid=*)(uid\3D*,ou=people,dc=example,dc=org

dn: cn=everybody,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: everybody
member: uid=ann,ou=people,dc=example,dc=org
member: uid=bob,ou=people,dc=example,dc=org
`

const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile %[1]s/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
# Nobody says anything without TLS, and a bind without a password succeeds, as it does on many
# servers.
security tls=1
allow bind_anon_cred bind_anon_dn
database mdb
suffix "dc=example,dc=org"
directory %[1]s/db
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

// slapd is a directory with a few users.
type slapd struct {
	p           place
	ldap, ldaps int
	daemon      *daemontest.Process
}

func startSlapd(t *testing.T, a *authority) *slapd {
	t.Helper()
	s := &slapd{p: newPlace(t), ldap: freePort(t), ldaps: freePort(t)}
	a.server(t, s.p, "directory")
	s.p.show(t, "ca.pem", a.pem)
	conf := s.p.Write(t, "slapd.conf", fmt.Sprintf(slapdConf, s.p.Dir))
	if err := os.Mkdir(s.p.Path("db"), 0o700); err != nil {
		t.Fatal(err)
	}
	add := exec.Command("/usr/sbin/slapadd", "-q", "-f", conf)
	add.Stdin = strings.NewReader(entries)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	// -d keeps it in the foreground.
	s.daemon = daemontest.Start(t, exec.Command("/usr/sbin/slapd", "-f", conf, "-d", "none", "-h",
		fmt.Sprintf("ldap://127.0.0.1:%d ldaps://127.0.0.1:%d", s.ldap, s.ldaps)))
	daemontest.WaitFor(t, "slapd", func() bool { return listening(s.ldap) && listening(s.ldaps) })
	return s
}

func listening(port int) bool {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// config is that of a frontd that asks servers.
func (s *slapd) config(t *testing.T, port int, ca, servers, timeout, lines string) string {
	t.Helper()
	s.p.Write(t, "secret", "searching\n")
	return fmt.Sprintf(`listen = ["127.0.0.1:%d"]
[auth]
backend = "ldap"
[auth.roles]
bob = "admin"
[auth.ldap]
servers = [%s]
ca = %q
timeout = %q
%s
[[auth.ldap.groups]]
dn   = "CN=Operators, ou=groups,dc=example,dc=org"
role = "operator"
[[auth.ldap.groups]]
dn   = "cn=everybody,ou=groups,dc=example,dc=org"
role = "viewer"
`, port, servers, ca, timeout, lines)
}

// Time limits for a directory that answers, however slow the machine is, and for one that does not.
const (
	ample = "20s"
	brief = "2s"
)

const groupBase = "group_base = \"ou=groups,dc=example,dc=org\"\n"

func (s *slapd) searching() string {
	return fmt.Sprintf("base = \"ou=people,dc=example,dc=org\"\nbind_dn = \"cn=searcher,dc=example,dc=org\"\nbind_password_file = %q\n", s.p.Path("secret")) + groupBase
}

const direct = "user_dn = \"uid={user},ou=people,dc=example,dc=org\"\n" + groupBase

func TestLDAP(t *testing.T) {
	a := newAuthority(t)
	s := startSlapd(t, a)
	startTLS, tls := fmt.Sprintf("\"ldap://127.0.0.1:%d\"", s.ldap), fmt.Sprintf("\"ldaps://127.0.0.1:%d\"", s.ldaps)
	for name, way := range map[string]struct {
		servers, lines string
		search         bool
	}{
		"search, StartTLS":      {startTLS, s.searching(), true},
		"search, ldaps":         {tls, s.searching(), true},
		"direct, StartTLS":      {startTLS, direct, false},
		"direct, ldaps":         {tls, direct, false},
		"first server is down":  {"\"ldaps://127.0.0.1:1\", " + tls, s.searching(), true},
		"certificate of a name": {tls, "server_name = \"localhost\"\n" + s.searching(), true},
	} {
		t.Run(name, func(t *testing.T) {
			p, port := newPlace(t), freePort(t)
			d := p.frontd(t, s.config(t, port, s.p.Path("ca.pem"), way.servers, ample, way.lines))
			url := fmt.Sprintf("http://127.0.0.1:%d/RPC2", port)
			for _, login := range []struct{ user, password, want string }{
				{"ann", "horse ann", "ann operator"},
				{"ANN", "horse ann", "ann operator"},
				{"bob", "horse bob", "bob admin"}, // named, though his group is a lesser one
				{strange, "horse strange", strange + " operator"},
				{"cid", "horse cid", "fault 1"}, // in no group
				{"ann", "horse bob", "fault 1"},
				{"ann", "", "fault 1"},
				{"", "", "fault 1"},
				{"nobody", "horse ann", "fault 1"},
				{"*", "horse ann", "fault 1"},
				{"a*", "horse ann", "fault 1"},
				{"ann)(uid=*", "horse ann", "fault 1"},
				{"ann,ou=people,dc=example,dc=org", "horse ann", "fault 1"},
				{"twin", "horse twin", "fault 1"},
				{"ref", "horse ref", "fault 1"},
			} {
				// Each from another address, so that none is kept waiting for another.
				from := fmt.Sprintf("127.0.2.%d", len(login.user)+1)
				got := strings.ReplaceAll(who(t, fromAddress(from), url, nil, login.user, login.password), "&gt;", ">")
				if got != login.want {
					t.Errorf("%q with %q: %s, want %s", login.user, login.password, got, login.want)
				}
			}
			if log := d.Out.String(); strings.Contains(log, "horse") || strings.Contains(log, "searching") {
				t.Errorf("a password stands in the log:\n%s", log)
			}
		})
	}
}

// TestLDAPDown: what cannot be asked lets nobody in, says why in the log, and takes no longer than
// it may.
func TestLDAPDown(t *testing.T) {
	a := newAuthority(t)
	s := startSlapd(t, a)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() }) // after those that run in parallel
	stranger := s.p.show(t, "stranger.pem", newAuthority(t).pem)
	s.p.Write(t, "wrong", "not it\n")
	s.p.show(t, "open", "searching\n")
	ca, up := s.p.Path("ca.pem"), fmt.Sprintf("\"ldaps://127.0.0.1:%d\"", s.ldaps)
	for name, test := range map[string]struct{ ca, servers, lines, log string }{
		"nobody listens":        {ca, "\"ldaps://127.0.0.1:1\"", s.searching(), "connection refused"},
		"says nothing":          {ca, fmt.Sprintf("\"ldaps://%s\"", silent.Addr()), s.searching(), "timeout"},
		"says nothing, plainly": {ca, fmt.Sprintf("\"ldap://%s\"", silent.Addr()), s.searching(), "timeout"},
		"of another authority":  {stranger, up, s.searching(), "unknown authority"},
		"of another name":       {ca, up, "server_name = \"ldap.example.org\"\n" + s.searching(), "not ldap.example.org"},
		"no LDAP":               {ca, fmt.Sprintf("\"ldaps://127.0.0.1:%d\"", s.ldap), s.searching(), "ldaps://"},
		"wrong bind password":   {ca, up, strings.Replace(s.searching(), "/secret", "/wrong", 1), "bind as"},
		"bind password of all":  {ca, up, strings.Replace(s.searching(), "/secret", "/open", 1), "others may read"},
		"no bind password":      {ca, up, strings.Replace(s.searching(), "/secret", "/none", 1), "no such file"},
		"base is not there":     {ca, up, strings.Replace(s.searching(), "ou=people", "ou=nowhere", 1), "search for the user"},
		"must not search":       {ca, up, "base = \"ou=people,dc=example,dc=org\"\n" + groupBase, "search for the user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, port := newPlace(t), freePort(t)
			timeout := ample
			if test.log == "timeout" {
				timeout = brief
			}
			d := p.frontd(t, s.config(t, port, test.ca, test.servers, timeout, test.lines))
			// The call has a time limit too.
			if got := who(t, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d/RPC2", port), nil, "ann", "horse ann"); got != "fault 1" {
				t.Errorf("got %s", got)
			}
			daemontest.WaitFor(t, "the log to say "+test.log, func() bool {
				log := d.Out.String()
				// Whichever of the two deadlines is first names itself.
				late := test.log == "timeout" && strings.Contains(log, "deadline exceeded")
				return strings.Contains(log, "log in by ldap") && (late || strings.Contains(log, test.log))
			})
			if strings.Contains(d.Out.String(), "horse") {
				t.Error("a password stands in the log")
			}
		})
	}
}

func TestNuctlWithDirectory(t *testing.T) {
	s := startSlapd(t, newAuthority(t))
	p, port := newPlace(t), freePort(t)
	p.frontd(t, s.config(t, port, s.p.Path("ca.pem"), fmt.Sprintf("\"ldaps://127.0.0.1:%d\"", s.ldaps), ample, s.searching()))
	login := func(user, password string) []string {
		return []string{"--server", fmt.Sprintf("http://127.0.0.1:%d", port), "--user", user, "--password-file", p.Write(t, "password of "+user, password+"\n")}
	}
	wantNuctl(t, "with a password", "ann operator", login("ann", "horse ann")...)
	wantNuctl(t, "with that of another", "exit code 4", login("ann", "horse bob")...)
	wantNuctl(t, "of no group", "exit code 4", login("cid", "horse cid")...)
}
