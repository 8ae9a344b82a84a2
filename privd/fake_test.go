// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/privd"
	"nuconntrack/privd/audit"
	"nuconntrack/privd/ctnetlink"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeEntry is a connection of fakeKernel.
type fakeEntry struct {
	target  ipc.Target
	mark    uint32
	timeout uint32 // 0: the kernel does not tell
	fixed   bool
}

func (e fakeEntry) Target() ipc.Target      { return e.target }
func (e fakeEntry) Mark() uint32            { return e.mark }
func (e fakeEntry) Timeout() (uint32, bool) { return e.timeout, e.timeout != 0 }
func (e fakeEntry) FixedTimeout() bool      { return e.fixed }

// fakeKernel does what the kernel does, and what it hardly ever does: before is called
// with the name and number of each call, can change what the table holds, and its error
// is the call's.
type fakeKernel struct {
	mu      sync.Mutex
	entries map[ipc.Tuple]fakeEntry // by original tuple
	calls   map[string]int
	before  func(k *fakeKernel, op string, n int) error
	dump    func(ctx context.Context, each func([]byte) error) error
}

func newFakeKernel() *fakeKernel {
	return &fakeKernel{entries: map[ipc.Tuple]fakeEntry{}, calls: map[string]int{}}
}

func (k *fakeKernel) put(e fakeEntry) { k.entries[e.target.Orig] = e }

// held gives what the table holds, to a test's goroutine.
func (k *fakeKernel) held() map[ipc.Tuple]fakeEntry {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.entries)
}

func (k *fakeKernel) count(op string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls[op]
}

func (k *fakeKernel) called(op string) error {
	k.calls[op]++
	if k.before == nil {
		return nil
	}
	return k.before(k, op, k.calls[op])
}

func kernelError(op string, errno unix.Errno) error {
	return &ctnetlink.Error{Op: op, Errno: errno}
}

func (k *fakeKernel) Get(targets []ipc.Target) (all []privd.Read) {
	for _, t := range targets {
		e, err := k.get(t)
		all = append(all, privd.Read{Entry: e, Err: err})
	}
	return all
}

func (k *fakeKernel) get(t ipc.Target) (privd.Entry, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.called("get"); err != nil {
		return nil, err
	}
	e, ok := k.entries[t.Orig]
	if !ok {
		return nil, kernelError("get", unix.ENOENT)
	}
	return e, nil
}

func (k *fakeKernel) Delete(entries []privd.Entry) (errs []error) {
	for _, e := range entries {
		errs = append(errs, k.delete(e))
	}
	return errs
}

func (k *fakeKernel) delete(e privd.Entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.called("delete"); err != nil {
		return err
	}
	have, ok := k.entries[e.Target().Orig]
	if !ok || have.target.ID != e.Target().ID {
		return kernelError("delete", unix.ENOENT)
	}
	delete(k.entries, e.Target().Orig)
	return nil
}

func (k *fakeKernel) SetMark(e privd.Entry, value, mask uint32) error {
	return k.update("mark", e, func(have *fakeEntry) { have.mark = have.mark&^mask ^ value })
}

func (k *fakeKernel) FixTimeout(e privd.Entry, seconds uint32) error {
	return k.update("timeout", e, func(have *fakeEntry) { have.timeout, have.fixed = seconds, true })
}

func (k *fakeKernel) update(op string, e privd.Entry, change func(*fakeEntry)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.called(op); err != nil {
		return err
	}
	have, ok := k.entries[e.Target().Orig]
	switch {
	case !ok:
		return kernelError(op, unix.ENOENT)
	case op == "timeout" && have.fixed:
		return kernelError(op, unix.EPERM)
	}
	change(&have) // as the kernel does it, the id is not compared
	k.put(have)
	return nil
}

func (k *fakeKernel) Dump(ctx context.Context, each func([]byte) error) (interrupted bool, n uint64, err error) {
	if k.dump == nil {
		return false, 0, nil
	}
	err = k.dump(ctx, func(b []byte) error {
		if err := each(b); err != nil {
			return err
		}
		n += uint64(len(b))
		return nil
	})
	return false, n, err
}

func (k *fakeKernel) Stats() (ipc.Stats, error) {
	return ipc.Stats{Known: ipc.StatCount, Count: 42}, fmt.Errorf("the rest is not known")
}

// ledger is an audit in memory.
type ledger struct {
	mu      sync.Mutex
	entries []audit.Entry
	fail    func(audit.Entry) error
}

func (l *ledger) Write(e audit.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		if err := l.fail(e); err != nil {
			return err
		}
	}
	l.entries = append(l.entries, e)
	return nil
}

func (l *ledger) all() []audit.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]audit.Entry(nil), l.entries...)
}

// allowAll permits everything but to touch port 22 and mark bits beyond 16.
const allowAll = `
zones = [0, 7]
[kill]
allow = true
[change]
allow = true
mark_mask = "0xffff"
[[protect]]
name = "management"
ports = [22]
`

func rules(t testing.TB, text string) *policy.Rules {
	t.Helper()
	r, err := policy.Parse([]byte(text), "test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// helper is a server that runs, and how to reach it.
type helper struct {
	server *privd.Server
	path   string
	client *ipc.Client
	audit  *ledger
	ended  chan error // gets what Run returned
	stop   context.CancelFunc
}

// startHelper runs a server until the test ends. What cfg leaves out is filled in.
func startHelper(t testing.TB, cfg privd.Config) *helper {
	t.Helper()
	// Short: the path of a socket has 108 bytes.
	folder, err := os.MkdirTemp("", "privd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	h := &helper{path: filepath.Join(folder, "s"), ended: make(chan error, 1)}
	cfg.Listener, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: h.path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.PeerUID == 0 {
		cfg.PeerUID = uint32(os.Getuid())
	}
	if cfg.Rules == nil {
		cfg.Rules = rules(t, allowAll)
	}
	if cfg.Audit == nil {
		h.audit = &ledger{}
		cfg.Audit = h.audit
	}
	if cfg.Reader == nil {
		cfg.Reader = newFakeKernel()
	}
	// A test that stands still for a while is no peer that is too slow.
	cfg.Limits.Hello = cmp.Or(cfg.Limits.Hello, patience)
	cfg.Limits.Idle = cmp.Or(cfg.Limits.Idle, patience)
	cfg.Limits.Write = cmp.Or(cfg.Limits.Write, patience)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if h.server, err = privd.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	done := make(chan struct{})
	go func() {
		h.ended <- h.server.Run(ctx)
		close(done)
	}()
	h.client = ipc.NewClient(ipc.ClientConfig{Path: h.path, Timeout: patience})
	t.Cleanup(func() {
		h.client.Close()
		stop()
		<-done
	})
	return h
}
