// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd/ctnetlink"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

const newMark = 0x42

func netlinkTarget() ipc.Target {
	return nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.2:80")
}

// netlinkVictim does with the kernel's table all that privd does.
func netlinkVictim() (Config, func()) {
	conn, err := ctnetlink.Dial()
	must(err)
	dumper, err := ctnetlink.NewDumper()
	must(err)
	stats, err := ctnetlink.NewStatsReader()
	must(err)
	return Config{}, func() {
		e, err := conn.Get(netlinkTarget())
		must(err)
		must(conn.SetMark(e, newMark, 0xff))
		must(conn.FixTimeout(e, 60))
		e, err = conn.Get(netlinkTarget())
		must(err)
		if e.Mark() != newMark || !e.FixedTimeout() {
			panic(fmt.Sprintf("%+v", e))
		}
		stop := errors.New("stop")
		for range 3 { // the socket is dropped each time, and opened again
			if _, _, err := dumper.Dump(context.Background(), func([]byte) error { return stop }); !errors.Is(err, stop) {
				panic(err)
			}
		}
		_, n, err := dumper.Dump(context.Background(), func([]byte) error { return nil })
		must(err)
		s, err := stats.Stats()
		must(err)
		if n == 0 || s.Count == 0 || s.Known&ipc.StatCPU == 0 {
			panic(fmt.Sprintf("%d bytes, %+v", n, s))
		}
		must(conn.Delete(e))
		if _, err := conn.Get(netlinkTarget()); !errors.Is(err, ctnetlink.ErrNotFound) {
			panic(err)
		}
		must(errors.Join(conn.Close(), dumper.Close(), stats.Close()))
	}
}

func TestNetlink(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: netlinkTarget()})
		start(t, "netlink", "root", nil).wantDone(t)
	})
}
