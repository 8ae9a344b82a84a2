// SPDX-License-Identifier: GPL-2.0-or-later

//go:build ways

package ways

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
)

// server is a web server before frontd, with the example of docs/.
type server struct {
	p    place
	port int
	cmd  func(conf string) *exec.Cmd
	conf string // that includes the example
	// edit are replacements in the example: what is different for a test.
	edit []string
}

func nginx(p place, port int) server {
	return server{
		p: p, port: port,
		cmd: func(conf string) *exec.Cmd { return exec.Command("/usr/sbin/nginx", "-e", "stderr", "-c", conf) },
		conf: fmt.Sprintf(`daemon off;
user www-data;
pid %[1]s/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    include %[1]s/example.conf;
}
`, p.Dir),
		edit: []string{"listen 443", fmt.Sprint("listen 127.0.0.1:", port), "/etc/nginx/nuconntrack.crt", p.Path("cert.pem"),
			"/etc/nginx/nuconntrack.key", p.Path("key.pem"), "/etc/nginx/nuconntrack.htpasswd", p.Path("htpasswd"),
			"/run/nuconntrack/frontd.sock", p.Path("s")},
	}
}

func apache(p place, port int) server {
	var load strings.Builder
	for _, m := range []string{"mpm_event", "authn_core", "authz_core", "authn_file", "authz_user", "auth_basic", "headers", "proxy", "proxy_http", "ssl"} {
		fmt.Fprintf(&load, "LoadModule %[1]s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
	}
	return server{
		p: p, port: port,
		cmd: func(conf string) *exec.Cmd { return exec.Command("/usr/sbin/apache2", "-DFOREGROUND", "-f", conf) },
		conf: fmt.Sprintf(`ServerRoot %[1]s
ServerName localhost
DefaultRuntimeDir %[1]s
PidFile %[1]s/apache.pid
Mutex file:%[1]s
ErrorLog /dev/stderr
Listen 127.0.0.1:%[2]d
User www-data
Group www-data
%[3]sInclude %[1]s/example.conf
`, p.Dir, port, load.String()),
		edit: []string{"*:443", fmt.Sprint("127.0.0.1:", port), "/etc/apache2/nuconntrack.crt", p.Path("cert.pem"),
			"/etc/apache2/nuconntrack.key", p.Path("key.pem"), "/etc/apache2/nuconntrack.htpasswd", p.Path("htpasswd"),
			"/run/nuconntrack/frontd.sock", p.Path("s")},
	}
}

// TestBehind: each server with the shipped example, over the Unix socket and over loopback.
func TestBehind(t *testing.T) {
	for name, make := range map[string]func(place, int) server{"nginx.conf": nginx, "apache.conf": apache} {
		for _, loopback := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, loopback %t", name, loopback), func(t *testing.T) {
				a, p, port, inner := newAuthority(t), newPlace(t), freePort(t), freePort(t)
				a.server(t, p, "proxy")
				p.show(t, "ca.pem", a.pem)
				s := make(p, port)
				listen, from := "unix:"+p.Path("s"), "uid:33"
				if loopback {
					listen, from = fmt.Sprint("127.0.0.1:", inner), "127.0.0.1"
					s.edit = append([]string{"unix:/run/nuconntrack/frontd.sock|http://localhost/", fmt.Sprintf("http://127.0.0.1:%d/", inner),
						"server unix:/run/nuconntrack/frontd.sock", fmt.Sprint("server 127.0.0.1:", inner)}, s.edit...)
				}
				clientHeader := map[string]string{"nginx.conf": "X-Real-IP", "apache.conf": "X-Forwarded-For"}[name]
				d := p.frontd(t, fmt.Sprintf("listen = [%q]\nhosts = [\"firewall.example.org\"]\n[proxy]\nfrom = [%q]\nuser_header = \"X-Remote-User\"\nclient_header = %q\n[auth]\nbackend = \"proxy\"\nrole = \"operator\"\n",
					listen, from, clientHeader))
				if !loopback {
					// As the group of the socket would let www-data in.
					if err := os.Chown(p.Path("s"), -1, 33); err != nil {
						t.Fatal(err)
					}
				}
				s.start(t, name)
				s.try(t, a, d)
			})
		}
	}
}

func (s server) start(t *testing.T, example string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", example))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(s.edit); i += 2 {
		text = []byte(strings.ReplaceAll(string(text), s.edit[i], s.edit[i+1]))
	}
	s.p.show(t, "example.conf", string(text))
	if out, err := exec.Command("htpasswd", "-B", "-b", "-c", s.p.Path("htpasswd"), "ann", "right horse").CombinedOutput(); err != nil {
		t.Fatalf("htpasswd: %v\n%s", err, out)
	}
	if err := os.Chmod(s.p.Path("htpasswd"), 0o644); err != nil {
		t.Fatal(err)
	}
	daemontest.Start(t, s.cmd(s.p.show(t, "server.conf", s.conf)))
	daemontest.WaitFor(t, example, func() bool { return listening(s.port) })
}

func basic(user, password string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}}
}

func (s server) try(t *testing.T, a *authority, d *daemontest.Process) {
	t.Helper()
	cfg := a.tls(t, nil)
	client, url := overTLS(cfg), fmt.Sprintf("https://localhost:%d/RPC2", s.port)
	if got := who(t, client, url, basic("ann", "right horse")); got != "ann operator" {
		t.Errorf("a user of the proxy: %s", got)
	}
	if got := who(t, client, url, basic("ann", "right horse"), "any", "thing"); got != "ann operator" {
		t.Errorf("a client that always sends two parameters: %s", got)
	}
	forged := basic("ann", "right horse")
	forged["X-Remote-User"], forged["X-Forwarded-For"], forged["X-Real-Ip"] = []string{"root"}, []string{"203.0.113.9"}, []string{"203.0.113.9"}
	if got := who(t, client, url, forged); got != "ann operator" {
		t.Errorf("a client that says who it is: %s", got)
	}
	for name, header := range map[string]http.Header{
		"a wrong password": basic("ann", "wrong"), "nobody": nil, "an unknown user": basic("root", "right horse"),
		"a header alone": {"X-Remote-User": {"root"}}, "an empty password": basic("ann", ""),
	} {
		if got := who(t, client, url, header); got != "status 401" {
			t.Errorf("%s: %s", name, got)
		}
	}
	daemontest.WaitFor(t, "the client's address in the log", func() bool { return strings.Count(d.Out.String(), "127.0.0.1 via ") >= 3 })
	right, wrong := s.p.Write(t, "right", "right horse\n"), s.p.Write(t, "wrong", "wrong\n")
	ask := []string{"--server", url, "--ca-file", s.p.Path("ca.pem"), "--user", "ann", "--password-file"}
	wantNuctl(t, "when the proxy asks", "ann operator", append(ask, right)...)
	wantNuctl(t, "from the first call on", "ann operator", append(ask, right, "--http-auth", "basic")...)
	wantNuctl(t, "with another password", "exit code 4", append(ask, wrong)...)
	wantNuctl(t, "that does not tell the proxy", "exit code 4", append(ask, right, "--http-auth", "never")...)
	log := d.Out.String()
	if strings.Contains(log, "203.0.113.9") || strings.Contains(log, "right horse") {
		t.Error("what a client made up, or its password, stands in the log")
	}
	s.python(t, url)
}

// python goes through the server with a client that many use.
func (s server) python(t *testing.T, url string) {
	t.Helper()
	const program = `
import ssl, sys, xmlrpc.client
context = ssl.create_default_context(cafile=sys.argv[2])
firewall = xmlrpc.client.ServerProxy(sys.argv[1].replace("https://", "https://ann:right%20horse@"), context=context)
session = firewall.login()
print(firewall.whoami(session)["user"])
firewall.logout(session)
`
	out, err := exec.Command("python3", "-c", program, url, s.p.Path("ca.pem")).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "ann" {
		t.Errorf("Python: %v\n%s", err, out)
	}
}

// TestHtpasswd: the users of Apache are users here, with the file as it is.
func TestHtpasswd(t *testing.T) {
	p, port := newPlace(t), freePort(t)
	file := p.Path("htpasswd")
	for _, args := range [][]string{{"-B", "-c"}, {"-s"}} {
		user := "ann" + args[0]
		if out, err := exec.Command("htpasswd", append(args, "-b", file, user, "right horse")...).CombinedOutput(); err != nil {
			t.Fatalf("htpasswd: %v\n%s", err, out)
		}
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	for _, legacy := range []bool{false, true} {
		d := p.frontd(t, fmt.Sprintf("listen = [\"127.0.0.1:%d\"]\n[auth]\nbackend = \"file\"\nfile = %q\nlegacy_sha = %t\n", port, file, legacy))
		want := map[bool]string{false: "fault 1", true: "ann-s admin"}[legacy]
		if got := who(t, fresh(), url, nil, "ann-s", "right horse"); got != want {
			t.Errorf("SHA-1, legacy_sha = %t: %s", legacy, got)
		}
		if got := who(t, fresh(), url, nil, "ann-B", "right horse"); got != "ann-B admin" {
			t.Errorf("bcrypt: %s", got)
		}
		d.End()
		if strings.Contains(d.Out.String(), "nuctl passwd") != legacy {
			t.Errorf("the advice: %s", &d.Out)
		}
	}
}
