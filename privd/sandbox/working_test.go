// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	manyThreads = 20
	manyPeers   = 20
	patience    = time.Minute
)

// working are victims that stay alive.
func working() map[string]victim {
	return map[string]victim{
		"load":             plain(work),
		"threads":          threads,
		"listener":         listener,
		"socket to remove": ownSocket(true),
		"signals":          plain(ownSignals),
		"sleep":            plain(sleep),
		"netlink":          netlinkVictim,
	}
}

func TestWhatGoesOnWorking(t *testing.T) {
	for _, as := range identities(t) {
		for _, name := range []string{"load", "threads", "signals", "socket to remove"} {
			t.Run(as+"/"+name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(openFolder(t), "socket")
				start(t, name, as, func(c *exec.Cmd) { c.Env = append(c.Env, pathVariable+"="+path) }).wantDone(t)
				if _, err := os.Lstat(path); !os.IsNotExist(err) {
					t.Errorf("the socket is left: %v", err)
				}
			})
		}
	}
}

// openFolder is a folder where everybody may make and remove files. The test's own
// temporary folder is below one that is closed to others.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "sandbox")
	if err == nil {
		err = os.Chmod(folder, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// work makes the runtime do everything it does: collect garbage, give memory back, start
// and end threads, preempt, wait, read files and numbers, recover.
func work() {
	var group sync.WaitGroup
	for range manyThreads {
		group.Go(func() { onNewThread(func() { sleepInKernel(1e6) }) })
		group.Go(func() {
			var kept [][]byte
			for i := range 200 {
				if kept = append(kept, make([]byte, 64<<10)); i%50 == 0 {
					kept = nil
				}
			}
			runtime.KeepAlive(kept)
		})
		group.Go(func() {
			timer := time.NewTicker(time.Millisecond)
			defer timer.Stop()
			for range 5 {
				<-timer.C
			}
		})
		group.Go(func() {
			_, err := os.ReadFile("/proc/self/status")
			must(err)
			_, err = io.ReadFull(rand.Reader, make([]byte, 1<<16))
			must(err)
		})
		group.Go(func() {
			defer func() { _ = recover() }()
			var nowhere *int
			*nowhere = 1
		})
	}
	spin()
	group.Wait()
	runtime.GC()
	debug.FreeOSMemory()
	runtime.GOMAXPROCS(runtime.NumCPU() + 2)
	runtime.SetDefaultGOMAXPROCS()
	deep(1 << 16)
	runtime.Stack(make([]byte, 1<<16), true)
}

// spin is a loop that can only be preempted by a signal, as the collector asks.
func spin() {
	done := make(chan bool)
	go func() {
		runtime.GC()
		close(done)
	}()
	for n := 0; ; n++ {
		if n%1e6 == 0 {
			select {
			case <-done:
				return
			default:
			}
		}
	}
}

// deep makes the stack grow and move.
func deep(n int) int {
	var filler [64]byte
	if n == 0 {
		return len(filler)
	}
	return deep(n-1) + int(filler[n%64])
}

// onNewThread runs do on a thread that ends with it.
func onNewThread(do func()) {
	done := make(chan bool)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(done)
		do()
	}()
	<-done
}

// threads looks for the filter on threads from before and after it.
func threads() (Config, func()) {
	held := make(chan bool)
	hold := func() {
		var there sync.WaitGroup
		for range manyThreads {
			there.Add(1)
			go onNewThread(func() {
				there.Done()
				<-held
			})
		}
		there.Wait()
	}
	hold()
	return Config{}, func() {
		hold()
		s, err := ReadStatus()
		must(err)
		if s.Threads <= 2*manyThreads || s.Filtered != s.Threads {
			panic(fmt.Sprintf("%+v", s))
		}
		if os.Getenv(asVariable) != "root without no_new_privs" && s.NoNewPrivs != s.Threads {
			panic(fmt.Sprintf("%+v", s))
		}
		close(held)
	}
}

// ownSocket listens on a socket of its own, and closes it.
func ownSocket(remove bool) victim {
	return func() (Config, func()) {
		l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: os.Getenv(pathVariable), Net: "unixpacket"})
		must(err)
		return Config{RemoveSocket: remove}, func() { must(l.Close()) }
	}
}

// ownSignals sends itself what systemd sends to privd.
func ownSignals() {
	c := make(chan os.Signal, 1)
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGTERM, os.Interrupt} {
		signal.Notify(c, s)
		must(unix.Kill(os.Getpid(), s.(syscall.Signal)))
		if got := <-c; got != s {
			panic(got)
		}
		signal.Stop(c)
	}
	signal.Reset()
	signal.Ignore(unix.SIGHUP)
	must(unix.Kill(os.Getpid(), unix.SIGHUP))
}

func profile() {
	must(pprof.StartCPUProfile(io.Discard))
	pprof.StopCPUProfile()
}

// listener echoes packets on a socket that the test listens on.
func listener() (Config, func()) {
	l, err := net.FileListener(os.NewFile(3, "listener"))
	must(err)
	return Config{}, func() {
		var group sync.WaitGroup
		for range manyPeers {
			c, err := l.(*net.UnixListener).AcceptUnix()
			must(err)
			group.Go(func() { echo(c) })
		}
		group.Wait()
		must(l.Close())
	}
}

func echo(c *net.UnixConn) {
	defer c.Close()
	raw, err := c.SyscallConn()
	must(err)
	must(raw.Control(func(fd uintptr) {
		_, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		must(err)
	}))
	must(c.SetDeadline(time.Now().Add(patience)))
	b := make([]byte, 64)
	n, _, _, _, err := c.ReadMsgUnix(b, nil)
	must(err)
	parts := net.Buffers{b[:n/2], b[n/2 : n]} // writev
	_, err = parts.WriteTo(c)
	must(err)
	must(c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	if _, err = c.Read(b); !os.IsTimeout(err) {
		panic(err)
	}
	must(c.CloseRead())
}

func TestInheritedListener(t *testing.T) {
	for _, as := range identities(t) {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(openFolder(t), "socket")
			l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			file, err := l.File()
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			p := start(t, "listener", as, func(c *exec.Cmd) { c.ExtraFiles = []*os.File{file} })
			var group sync.WaitGroup
			for n := range manyPeers {
				group.Go(func() {
					if err := ask(path, fmt.Sprintf("packet %d", n)); err != nil {
						t.Error(err)
						p.Process.Kill()
					}
				})
			}
			group.Wait()
			p.wantDone(t)
		})
	}
}

// ask wants its packet back.
func ask(path, packet string) error {
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write([]byte(packet)); err != nil {
		return err
	}
	b := make([]byte, 64)
	n, err := c.Read(b)
	if err != nil || string(b[:n]) != packet {
		return fmt.Errorf("answer %q: %w", b[:n], err)
	}
	_, _ = c.Read(b) // until the victim closes
	return nil
}

// sleep waits in the kernel, to be stopped there, until the test closes its standard input.
func sleep() {
	var told atomic.Bool
	go func() {
		_, err := os.Stdin.Read(make([]byte, 1))
		if err != io.EOF {
			panic(err)
		}
		told.Store(true)
	}()
	for !told.Load() {
		sleepInKernel(300e6)
	}
}

// sleepInKernel goes on when a signal of the runtime's comes between.
func sleepInKernel(nanoseconds int64) {
	left := unix.NsecToTimespec(nanoseconds)
	for {
		err := unix.Nanosleep(&left, &left)
		if err != unix.EINTR {
			must(err)
			return
		}
	}
}

func TestStopAndContinue(t *testing.T) {
	var stdin io.Closer
	p := start(t, "sleep", "user", func(c *exec.Cmd) {
		w, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdin = w
	})
	if line := p.line(); line != sandboxed {
		t.Fatalf("first line %q", line)
	}
	for range 5 { // the first may come before it sleeps
		if err := p.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(p.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
			t.Fatalf("not stopped: status %#x, %v", uint32(status), err)
		}
		if err := p.Process.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	stdin.Close()
	p.wantDone(t)
}
