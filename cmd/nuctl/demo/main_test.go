// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

// TestMain lets the test's program be all the programs of the demo: nuctl itself, by its
// first argument, and stand-ins of the daemons, by the name it is started under.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case privdName:
		os.Exit(standIn(privdStandIn))
	case frontdName:
		os.Exit(standIn(frontdStandIn))
	}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "demo":
			os.Exit(nuctl(Command(), os.Args[2:]))
		case "host":
			os.Exit(nuctl(HostCommand(), os.Args[2:]))
		case "probe":
			os.Exit(standIn(probe))
		case "forbid":
			os.Exit(standIn(forbid))
		}
	}
	os.Exit(m.Run())
}

func nuctl(cmd *cobra.Command, args []string) int {
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		return 1
	}
	return 0
}

func standIn(run func() error) int {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// argument returns the value of a flag on the own command line.
func argument(flag string) string {
	for i, a := range os.Args[:len(os.Args)-1] {
		if a == flag {
			return os.Args[i+1]
		}
	}
	return ""
}

func untilTerminated() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	<-signals
}

// privdStandIn listens, and ends as the real one does. A file "die" beside it makes it die.
func privdStandIn() error {
	if _, err := os.Stat(filepath.Join(filepath.Dir(os.Args[0]), "die")); err == nil {
		return fmt.Errorf("privd: these are my last words")
	}
	if err := os.Mkdir(filepath.Dir(argument("--socket")), 0o700); err != nil {
		return err
	}
	l, err := net.Listen("unixpacket", argument("--socket"))
	if err != nil {
		return err
	}
	defer l.Close()
	untilTerminated()
	return nil
}

// frontdStandIn answers with what a frontd could find out about its surroundings.
func frontdStandIn() error {
	if pid := os.Getenv("LISTEN_PID"); pid != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("LISTEN_PID is %q, not mine", pid)
	}
	var open []string
	for fd := range 64 {
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFSOCK {
			open = append(open, strconv.Itoa(fd))
		}
	}
	l, err := net.FileListener(os.NewFile(firstDescriptor, "rpc"))
	if err != nil {
		return err
	}
	_, err = net.Dial("tcp", l.Addr().String())
	facts := fmt.Sprintf("fds=%s names=%s sockets=%s dial=%v home=%q",
		os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES"), strings.Join(open, ","), err != nil, os.Getenv("HOME"))
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "<methodResponse>%s</methodResponse>", facts)
	}))
	untilTerminated()
	return nil
}
