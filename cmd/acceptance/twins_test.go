// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/ipc"
)

// TestTwoConnectionsWithOneID needs a kernel that has such: a helper that speaks the
// protocol and has a table that is made up stands behind the real front daemon.
func TestTwoConnectionsWithOneID(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	helper := &helpertest.Helper{}
	const shared = 3000000001
	twin := helpertest.Port(6, shared, "192.0.2.1:1000", "198.51.100.1:80")
	other := helpertest.Port(6, shared, "[2001:db8::1]:1000", "[2001:db8::2]:80")
	single := helpertest.Port(17, 7, "192.0.2.1:1000", "198.51.100.1:53")
	helper.Add(twin, other, single)
	serveHelper(t, w.Path("privd.sock"), helper)
	w.Write(t, "frontd.toml", "listen = [\"unix:"+w.Path("frontd.sock")+"\"]\nprivd = \""+w.Path("privd.sock")+"\"\n"+
		"user = \"self\"\n[auth]\nbackend = \"none\"\n")
	w.Frontd = daemontest.StartDaemon(t, daemontest.Command(daemontest.Frontd, "--config", w.Path("frontd.toml")))
	s := w.login(t)

	if all := s.rows(t, filters{"id": "3000000001"}); len(all) != 2 || all[0].key(t) == all[1].key(t) {
		t.Fatalf("two connections with one id, but different keys: %v", all)
	}
	s.want(t, 5, "key", "kill", list("3000000001"))
	s.want(t, 5, "key", "kill", list(float64(shared)))
	s.want(t, 5, "key", "change", "mark", "3000000001", 1)
	s.want(t, 5, "key", "change", "timeout", "3000000001", 100)
	if asked := helper.Asked(); len(asked) != 0 {
		t.Errorf("the helper was asked for %+v", asked)
	}
	// What is not ambiguous is killed all the same.
	s.want(t, 5, "3000000001", "kill", list("3000000001", 7))
	if len(helper.Table()) != 2 {
		t.Errorf("left: %+v", helper.Table())
	}
	s.ok(t, "kill", list(s.one(t, filters{"orig_src": "192.0.2.1"}).key(t)))
	if left := helper.Table(); len(left) != 1 || left[0].Target != other.Target {
		t.Errorf("left: %+v", left)
	}
	// One of them is left, in a table that is read again: the id is enough now.
	s.rows(t, nil)
	s.ok(t, "kill", list("3000000001"))
	if left := helper.Table(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

// serveHelper lets a made-up helper answer on a socket as privd does.
func serveHelper(t *testing.T, path string, helper *helpertest.Helper) {
	t.Helper()
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		l.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			raw, err := l.AcceptUnix()
			if err != nil {
				return
			}
			serving.Go(func() { serveConn(ctx, t, raw, helper) })
		}
	})
}

func serveConn(ctx context.Context, t *testing.T, raw *net.UnixConn, helper *helpertest.Helper) {
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	c, err := ipc.NewServerConn(raw)
	if err != nil {
		t.Error(err)
		return
	}
	for {
		r, err := c.ReadRequest(time.Time{})
		if err != nil {
			return // the client has gone, or the test has ended
		}
		deadline := time.Now().Add(daemontest.Patience)
		a := ipc.Answer{Op: r.Op, Seq: r.Seq, MaxInFlight: ipc.MaxInFlight}
		switch r.Op {
		case ipc.OpStats:
			a.Stats, err = helper.Stats(ctx)
		case ipc.OpDump:
			a.End, err = helper.Dump(ctx, func(data []byte) error { return c.WriteData(r.Seq, data, deadline) })
		case ipc.OpKill:
			a.Result, err = helper.Kill(ctx, r.Target, r.Actor)
		case ipc.OpChange:
			a.Result, err = helper.Change(ctx, r.Target, r.Actor, r.Change)
		}
		if err == nil {
			err = c.WriteAnswer(a, deadline)
		}
		if err != nil {
			return
		}
	}
}
