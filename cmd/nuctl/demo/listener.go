// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// firstDescriptor is SD_LISTEN_FDS_START of sd_listen_fds(3).
	firstDescriptor = 3
	// answerDeadline is how long frontd may take to its first answer.
	answerDeadline = 20 * time.Second
	// maxAnswer bounds what is read of it, in bytes.
	maxAnswer = 64 << 10
)

// openListener listens on the address, or, if its port is taken, on a free port of the
// same host.
func openListener(address string) (listener *net.TCPListener, taken bool, err error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, false, usagef("--listen %q: %v", address, err)
	}
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		taken = true
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, taken, fmt.Errorf("open listener: %w", err)
	}
	return l.(*net.TCPListener), taken, nil
}

// listens says whether the descriptor is a listening socket.
func listens(fd int) bool {
	on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && on == 1
}

// handOver becomes the program args[0], with the descriptors from firstDescriptor on
// announced as systemd does it (sd_listen_fds(3)). LISTEN_PID has to be the pid of the program
// itself, which is known only here, in the process that is about to be it.
func handOver(args, environ []string) error {
	env := make([]string, 0, len(environ)+3)
	for _, e := range environ {
		if !strings.HasPrefix(e, "LISTEN_") {
			env = append(env, e)
		}
	}
	env = append(env,
		"LISTEN_PID="+strconv.Itoa(os.Getpid()),
		"LISTEN_FDS=1",
		"LISTEN_FDNAMES=rpc",
	)
	if err := syscall.Exec(args[0], args, env); err != nil {
		return fmt.Errorf("execute %s: %w", args[0], err)
	}
	return nil
}

// waitAnswer waits until XML-RPC is spoken at the address. The listener accepts from the
// start, so that one request is enough: it waits in the queue until frontd takes it.
func waitAnswer(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, answerDeadline)
	defer cancel()
	const call = `<?xml version="1.0"?><methodCall><methodName>system.listMethods</methodName></methodCall>`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+dialable(address)+"/RPC2", strings.NewReader(call))
	if err != nil {
		return fmt.Errorf("ask frontd: %w", err)
	}
	request.Header.Set("Content-Type", "text/xml")
	// A transport of its own: no proxy from the environment, nothing kept open.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask frontd: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask frontd: %w", err)
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(string(body), "<methodResponse>") {
		return fmt.Errorf("ask frontd: %s is not an XML-RPC answer", response.Status)
	}
	return nil
}

// dialable replaces the wildcard address, which can be listened on but not be called.
func dialable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
