// SPDX-License-Identifier: GPL-2.0-or-later

package ways

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nuconntrack/cmd/daemontest"
)

func TestMain(m *testing.M) {
	os.Exit(daemontest.Main(m, daemontest.Setup{Programs: []string{daemontest.Frontd, daemontest.Nuctl}}))
}

// place is a folder of a test, where frontd has no helper.
type place struct{ *daemontest.World }

func newPlace(t *testing.T) place {
	t.Helper()
	return place{daemontest.NewWorld(t)}
}

// show writes a file that other users may read.
func (p place) show(t *testing.T, name, text string) string {
	t.Helper()
	path := p.Write(t, name, text)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// frontd starts the daemon as whoever runs the test, and returns when it serves.
func (p place) frontd(t *testing.T, config string) *daemontest.Process {
	t.Helper()
	p.StartFrontd(t, config)
	return p.Frontd
}

// freePort is a port of loopback that is kept for this test: a socket stays bound to it, so that
// the kernel gives it to nobody who asks for any port. Those who ask for this one may listen on
// it, as all servers do that set SO_REUSEADDR (socket(7)).
func freePort(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open socket: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		t.Fatalf("bind socket: %v", err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatalf("name socket: %v", err)
	}
	return bound.(*unix.SockaddrInet4).Port
}

// fresh is a client that keeps no connection, for daemons that come and go.
func fresh() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// overUnix is fresh for a Unix socket.
func overUnix(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
}

// fromAddress is a client whose connections come from one of loopback's addresses.
func fromAddress(addr string) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
}

// answer is what a call brought: a string, or a fault.
type answer struct {
	status int
	value  string
	code   int
	fault  string
}

var (
	faultCode   = regexp.MustCompile(`(?s)<name>faultCode</name>\s*<value><int>(-?\d+)</int>`)
	faultString = regexp.MustCompile(`(?s)<name>faultString</name>\s*<value><string>(.*?)</string>`)
	oneString   = regexp.MustCompile(`(?s)<string>(.*?)</string>`)
	userMember  = regexp.MustCompile(`(?s)<name>user</name>\s*<value><string>(.*?)</string>`)
	roleMember  = regexp.MustCompile(`(?s)<name>role</name>\s*<value><string>(.*?)</string>`)
)

// call calls a method with strings. Its error is that of the connection.
func call(c *http.Client, url string, header http.Header, method string, args ...string) (answer, string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>", method)
	for _, a := range args {
		a = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(a)
		fmt.Fprintf(&b, "<param><value><string>%s</string></value></param>", a)
	}
	b.WriteString("</params></methodCall>")
	ctx, cancel := context.WithTimeout(context.Background(), daemontest.Patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(b.String()))
	if err != nil {
		return answer{}, "", err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "text/xml")
	res, err := c.Do(r)
	if err != nil {
		return answer{}, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return answer{}, "", err
	}
	text := string(body)
	a := answer{status: res.StatusCode}
	if m := faultCode.FindStringSubmatch(text); m != nil {
		a.code, _ = strconv.Atoi(m[1])
		a.fault = first(faultString, text)
	} else if res.StatusCode == http.StatusOK {
		a.value = first(oneString, text)
	}
	return a, text, nil
}

func first(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// who logs in and asks who it is: "user role", or "fault N".
func who(t *testing.T, c *http.Client, url string, header http.Header, args ...string) string {
	t.Helper()
	a, _, err := call(c, url, header, "login", args...)
	if err != nil {
		t.Fatalf("login: %v", err)
	}
	if a.code != 0 {
		return fmt.Sprint("fault ", a.code)
	}
	if a.status != http.StatusOK {
		return fmt.Sprint("status ", a.status)
	}
	_, text, err := call(c, url, header, "whoami", a.value)
	if err != nil {
		t.Fatalf("whoami: %v", err)
	}
	return first(userMember, text) + " " + first(roleMember, text)
}

// passwd makes a password file.
func (p place) passwd(t *testing.T, password string, users ...string) string {
	t.Helper()
	for _, user := range users {
		p.SetPassword(t, user, password)
	}
	return p.Path("passwd")
}
