// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
	"nuconntrack/privd/audit"
)

const (
	// childJournald makes the test binary a journald, childJournal a helper that finds its
	// socket where journald's is. Both have a mount namespace with a /run of their own.
	childJournald = "journald"
	childJournal  = "journal"
	// journalVariable tells in which folder that journald has its sockets and its journal.
	journalVariable = "NUCONNTRACK_BENCH_JOURNAL"
	// journalPidVariable is that journald's process id.
	journalPidVariable = "NUCONNTRACK_BENCH_JOURNAL_PID"

	journald = "/lib/systemd/systemd-journald"
	// journaldRates keeps every entry, as privd's unit asks for with LogRateLimitIntervalSec=0.
	journaldRates = "[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nRateLimitBurst=0\nForwardToSyslog=no\n"
	// queueLength is how many datagrams may wait for journald, as systemd sets it at boot.
	queueLength = "512"

	socketFolder = "sockets" // of the folder that journalVariable names
	recordFolder = "records"
)

// startJournald starts a journald for the processes inside, with dir for what it shows. It
// is outside of their network namespace, where nobody can set how many datagrams may wait.
func startJournald(dir string) (stop func(), err error) {
	if _, err := os.Stat(journald); err != nil {
		return nil, err
	}
	for _, folder := range []string{socketFolder, recordFolder} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			return nil, err
		}
	}
	os.Setenv(journalVariable, dir)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+childJournald)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	os.Setenv(journalPidVariable, strconv.Itoa(cmd.Process.Pid))
	return func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}, nil
}

// becomeJournald is the process inside.
func becomeJournald() error {
	if err := ownRun(); err != nil {
		return err
	}
	for folder, at := range map[string]string{recordFolder: "/run/log/journal", socketFolder: "/run/systemd/journal"} {
		if err := show(folder, at); err != nil {
			return err
		}
	}
	const conf = "/run/systemd/journald.conf.d"
	if err := os.MkdirAll(conf, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(conf+"/bench.conf", []byte(journaldRates), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/unix/max_dgram_qlen", []byte(queueLength), 0); err != nil {
		return err
	}
	return syscall.Exec(journald, []string{journald}, os.Environ())
}

// becomeHelper makes this process a helper to whom that journald is the machine's.
func becomeHelper() error {
	if err := ownRun(); err != nil {
		return err
	}
	if err := show(socketFolder, filepath.Dir(audit.JournalSocket)); err != nil {
		return err
	}
	name := daemontest.Program(daemontest.Privd)
	return syscall.Exec(name, append([]string{name}, os.Args[1:]...), os.Environ())
}

// ownRun gives the process, which has a mount namespace of its own, an empty /run.
func ownRun() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts from others: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	return nil
}

// show mounts a folder that journald shares.
func show(folder, at string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(filepath.Join(os.Getenv(journalVariable), folder), at, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s: %w", at, err)
	}
	return nil
}

// startWithJournal starts daemons whose audit goes to a journal.
func startWithJournal(t *testing.T) *world {
	t.Helper()
	w := &world{World: daemontest.NewWorld(t), address: "127.0.0.1:8582"}
	cmd := exec.Command("/proc/self/exe", w.PrivdArgs("journal")...)
	cmd.Env = append(os.Environ(), childVariable+"="+childJournal)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	w.start(t, cmd)
	return w
}

// bareEntries sends entries as the helper does, one after the other, and says how long that
// takes.
func bareEntries(entries [][]byte) (time.Duration, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrUnix{Name: filepath.Join(os.Getenv(journalVariable), socketFolder, "socket")}
	began := time.Now()
	for _, b := range entries {
		if err := unix.Sendto(fd, b, unix.MSG_NOSIGNAL, to); err != nil {
			return 0, fmt.Errorf("send bare entry: %w", err)
		}
	}
	return time.Since(began), nil
}

// encoded gives the entries of the kills of these keys, as they come out of the helper's
// end, but for a digit of the server's address: what the journal has seen before costs it
// less, and so would the helper's.
func encoded(t *testing.T, w *world, keys []any) (all [][]byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	here, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	j, err := audit.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	e := audit.Entry{Op: ipc.OpKill, Peer: ipc.Peer{PID: int32(w.Frontd.PID())}, Outcome: ipc.Killed,
		Actor: ipc.Actor{RequestID: rand.Uint64(), User: bareUser, Client: "127.0.0.1:40000"}}
	b := make([]byte, audit.MaxEntry)
	for _, key := range keys {
		if e.Target, err = ident.DecodeKey(key.(string)); err != nil {
			t.Fatal(err)
		}
		e.Target.Orig.Dst, e.Target.Reply.Src = bareServer(), bareServer()
		for _, e.Phase = range []audit.Phase{audit.Intent, audit.Result} {
			if err := j.Write(e); err != nil {
				t.Fatal(err)
			}
			n, err := here.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, bytes.Clone(b[:n]))
		}
	}
	return all
}

// bareUser is as long as benchUser.
const bareUser = "plain"

func bareServer() netip.Addr { return netip.MustParseAddr("192.0.2.2") }

// countEntries counts the results of kills that the journal has written down. The helper's
// are the ones that it can tell from the bare ones.
func countEntries() (int, error) {
	out, err := exec.Command("journalctl", "--directory="+filepath.Join(os.Getenv(journalVariable), recordFolder),
		"--output=cat", "MESSAGE_ID="+audit.MessageID, "NUCT_OUTCOME=killed", "NUCT_CLAIMED_USER="+benchUser).Output()
	return strings.Count(string(out), "\n"), err
}
