// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"

	"github.com/kolo/xmlrpc"
)

const (
	clients  = 8
	callTime = 3 * time.Second
	echoPort = "127.0.0.1:8581"
)

const echoServer = `
import socketserver, sys
from xmlrpc.server import SimpleXMLRPCServer
class Server(socketserver.ThreadingMixIn, SimpleXMLRPCServer): daemon_threads = True
s = Server(("127.0.0.1", 8581), logRequests=False)
s.register_function(lambda x: x, "echo")
s.serve_forever()
`

// measureCalls counts small calls a second, client included, beside Python's server that
// does nothing but answer.
func measureCalls(t *testing.T, w *world) {
	w.call(t, "set_autorefresh", 0)
	w.call(t, "view")
	whoami := w.document(t, "whoami")
	view := w.document(t, "view", map[string]any{}, "byte_rate", "DESC", 0, 30)
	url := "http://" + w.address + "/RPC2"
	ours := rate(t, url, whoami)
	say("\nsmall calls a second, %d clients on this machine: whoami %.0f, a view of 30 rows of 1,000 %.0f", clients, ours, rate(t, url, view))
	if _, err := exec.LookPath("python3"); err != nil {
		say("python3 is not there")
		return
	}
	cmd := exec.Command("python3", "-I", "-c", echoServer)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	echo, err := xmlrpc.EncodeMethodCall("echo", "x")
	if err != nil {
		t.Fatal(err)
	}
	url = "http://" + echoPort + "/RPC2"
	daemontest.WaitFor(t, "Python answers", func() bool {
		res, err := http.Post(url, "text/xml", bytes.NewReader(echo))
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	})
	python := rate(t, url, echo)
	say("Python's SimpleXMLRPCServer, an echo: %.0f, so whoami is %.0f times as many", python, ours/python)
}

// rate is how many calls a second are answered.
func rate(t *testing.T, url string, body []byte) float64 {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var count atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range clients {
		wg.Go(func() {
			for time.Since(began) < callTime {
				res, err := client.Post(url, "text/xml", bytes.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				count.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(count.Load()) / time.Since(began).Seconds()
}
