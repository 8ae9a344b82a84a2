// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestMalformedPacketsEndTheirConnection: a front daemon that was taken over says to
// privd what it likes. It loses its connection, and nobody else anything.
func TestMalformedPacketsEndTheirConnection(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")})
		w := newWorld(t, everything)
		s := w.login(t)
		victim := s.one(t, nil)
		before := kernelTable(t)

		hello := packet(t, ipc.Request{Op: ipc.OpHello, Purpose: ipc.PurposeControl})
		helloDump := packet(t, ipc.Request{Op: ipc.OpHello, Purpose: ipc.PurposeDump})
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")
		target.ID = victim.number(t, "id")
		kill := packet(t, ipc.Request{Op: ipc.OpKill, Seq: 1, Target: target})
		change := packet(t, ipc.Request{Op: ipc.OpChange, Seq: 1, Target: target, Change: ipc.Change{Field: ipc.FieldMark, Mask: 1}})
		dump := packet(t, ipc.Request{Op: ipc.OpDump, Seq: 1})
		for name, sent := range map[string][][]byte{
			"one byte":                    {{1}},
			"no header":                   {hello[:23]},
			"another protocol":            {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
			"far too long":                {make([]byte, 60000)},
			"another magic":               {edit(hello, 0, 1)},
			"another version":             {edit(hello, 2, 2)},
			"unknown operation":           {edit(hello, 3, 9)},
			"an answer":                   {edit(hello, 4, 1)},
			"reserved byte of the header": {edit(hello, 5, 1)},
			"reserved byte of hello":      {edit(hello, 31, 1)},
			"unknown purpose":             {edit(hello, 24, 3)},
			"kill before hello":           {kill},
			"dump before hello":           {dump},
			"hello twice":                 {hello, hello},
			"dump on a control connection": {
				hello, dump},
			"kill on a dump connection":     {helloDump, kill},
			"kill cut short":                {hello, kill[:len(kill)-1]},
			"kill with more":                {hello, append(bytes.Clone(kill), 0)},
			"kill with a wrong length":      {hello, edit(kill, 19, 1)},
			"kill with an unknown family":   {hello, edit(kill, 24, 3)},
			"kill with a reserved byte":     {hello, edit(kill, 26, 1)},
			"kill with a long IPv4 address": {hello, edit(kill, 44, 1)},
			"user with a line break":        {hello, edit(kill, 24+88+8, '\n')},
			"change of an unknown field":    {hello, edit(change, 24+224, 3)},
			"change of bits outside":        {hello, edit(change, 24+231, 2)},
			"change with a reserved byte":   {hello, edit(change, len(change)-1, 1)},
		} {
			t.Run(name, func(t *testing.T) {
				conn := dialPrivd(t, w)
				for _, p := range sent {
					// Who takes too long to say hello has been hung up on already.
					if _, err := conn.Write(p); err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
						t.Fatal(err)
					}
				}
				wantHungUp(t, conn, len(sent)-1)
			})
		}
		t.Run("descriptors", func(t *testing.T) {
			conn := dialPrivd(t, w)
			null, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			defer null.Close()
			if _, _, err := conn.WriteMsgUnix(hello, unix.UnixRights(int(null.Fd())), nil); err != nil {
				t.Fatal(err)
			}
			wantHungUp(t, conn, 0)
		})
		wantTable(t, before)
		// The front daemon's own connection has not noticed any of it.
		s.ok(t, "kill", list(victim.key(t)))
		wantTable(t, before, target.ID)
	})
}

func packet(t *testing.T, r ipc.Request) []byte {
	t.Helper()
	b, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func edit(b []byte, at int, v byte) []byte {
	b = bytes.Clone(b)
	b[at] = v
	return b
}

func dialPrivd(t *testing.T, w *world) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: w.Path("privd.sock"), Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(daemontest.Patience))
	return conn
}

// wantHungUp wants so many answers and then the end of the connection.
func wantHungUp(t *testing.T, conn *net.UnixConn, answers int) {
	t.Helper()
	b := make([]byte, 4096)
	for n := 0; ; n++ {
		length, err := conn.Read(b)
		switch {
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, unix.ECONNRESET):
			t.Fatal(err)
		case err != nil || length == 0:
			if n > answers {
				t.Errorf("%d answers, want at most %d", n, answers)
			}
			return
		}
	}
}
