// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"errors"
	"os"
	"slices"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
	"nuconntrack/privd"

	"golang.org/x/sys/unix"
)

// assault is one kind of thing that an attacker does.
type assault struct {
	name   string
	weight int
	run    func(*attacker)
}

// assaults are all of them, by how often they are made.
func assaults() []assault {
	return []assault{
		{"requests", 20, (*attacker).requests},
		{"mutated", 250, func(a *attacker) { a.exchange(a.mutated()) }},
		{"random", 50, func(a *attacker) { a.exchange(a.random()) }},
		{"empty", 10, func(a *attacker) { a.refused([]byte{}, nil) }},
		{"poisoned", 20, func(a *attacker) { a.refused(a.poisoned(), nil) }},
		{"descriptors", 30, (*attacker).descriptors},
		{"credentials", 5, (*attacker).credentials},
		{"out of state", 40, (*attacker).outOfState},
		{"half-closed", 10, (*attacker).halfClosed},
		{"flood", 2, (*attacker).flood},
		{"dump", 8, (*attacker).dump},
		{"crowd", 1, (*attacker).crowd},
	}
}

// requests has a few in flight, all well-formed, and reads the answers in order.
func (a *attacker) requests() {
	l := a.control()
	var sent [][]byte
	for range 1 + a.rng.IntN(64) {
		p := a.wellFormed()
		if err := a.send(l, p, nil, daemontest.Patience); err != nil {
			a.siege.wrong("send a well-formed request: %v", err)
			a.hangUp()
			return
		}
		sent = append(sent, p)
	}
	a.answers(l, sent)
}

// answers wants one for each packet, in order.
func (a *attacker) answers(l *line, sent [][]byte) {
	for i, p := range sent {
		b, err := l.receive(daemontest.Patience)
		if err != nil {
			a.siege.wrong("answer %d of %d: %v", i+1, len(sent), err)
			a.hangUp()
			return
		}
		a.judge(p, b)
	}
}

// flood sends more than may be in flight without reading, and then reads, or goes.
func (a *attacker) flood() {
	l := a.control()
	var sent [][]byte
	for range 100 + a.rng.IntN(4*ipc.MaxInFlight) {
		p := a.wellFormed()
		if err := a.send(l, p, nil, 20*time.Millisecond); err != nil {
			break // the helper waits for its answers to be read
		}
		sent = append(sent, p)
	}
	if a.rng.IntN(2) == 0 {
		a.hangUp()
		return
	}
	a.answers(l, sent)
}

// descriptors sends some, from one to as many as a packet takes, with a good request or
// without.
func (a *attacker) descriptors() {
	raw, err := a.control().conn.SyscallConn()
	if err != nil {
		a.siege.wrong("get the descriptor of a connection: %v", err)
		return
	}
	file := int(a.siege.file.Fd())
	if a.rng.IntN(4) == 0 { // the connection itself, for a cycle
		err = raw.Control(func(fd uintptr) { file, err = unix.Dup(int(fd)) })
		if err != nil {
			a.siege.wrong("duplicate a connection: %v", err)
			return
		}
		defer unix.Close(file)
	}
	const most = 253 // SCM_MAX_FD
	rights := unix.UnixRights(slices.Repeat([]int{file}, pick(a.rng, []int{1, 2, most}))...)
	p := a.wellFormed()
	if a.rng.IntN(4) == 0 {
		p = []byte{0}
	}
	a.refused(p, rights)
}

// credentials sends its own, which is no offence: the helper asks the kernel for them.
func (a *attacker) credentials() {
	a.answered(a.wellFormed(), unix.UnixCredentials(&unix.Ucred{
		Pid: int32(os.Getpid()), Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}))
}

// outOfState sends well-formed requests where they must not come.
func (a *attacker) outOfState() {
	hello := func(p ipc.Purpose) []byte { return request(a.siege.t, ipc.Request{Op: ipc.OpHello, Purpose: p}) }
	dump := request(a.siege.t, ipc.Request{Op: ipc.OpDump, Seq: 1})
	switch a.rng.IntN(6) {
	case 0:
		a.refused(hello(ipc.PurposeControl), nil)
	case 1:
		a.refused(hello(ipc.PurposeDump), nil)
	case 2:
		a.refused(dump, nil)
	case 3: // an answer, or data of a dump
		p := a.wellFormed()
		p[4] = byte(1 + a.rng.IntN(2))
		a.refused(p, nil)
	case 4: // before hello
		l, err := dial(a.siege.socket)
		if err != nil {
			a.siege.wrong("%v", err)
			return
		}
		defer l.close()
		a.ends(l, pick(a.rng, [][]byte{a.wellFormed(), dump}))
	case 5: // on a connection for dumps, before one or during one
		l := a.open(ipc.PurposeDump)
		defer l.close()
		if a.rng.IntN(2) == 0 {
			a.send(l, dump, nil, daemontest.Patience)
		}
		a.ends(l, pick(a.rng, [][]byte{a.wellFormed(), hello(ipc.PurposeDump), hello(ipc.PurposeControl)}))
	}
}

// ends sends a packet and wants the connection to end, whatever comes before of a dump.
func (a *attacker) ends(l *line, p []byte) {
	err := a.send(l, p, nil, daemontest.Patience)
	for err == nil {
		var b []byte
		b, err = l.receive(daemontest.Patience)
		if err == nil && b[opAt] != byte(ipc.OpDump) {
			a.siege.wrong("answer %x to %x, out of state", b, p)
			return
		}
	}
	if !errors.Is(err, errClosed) {
		a.siege.wrong("%v instead of the end of the connection after %x", err, p)
	}
}

// halfClosed stops to write, or to read, in the middle.
func (a *attacker) halfClosed() {
	l := a.control()
	defer a.hangUp()
	if a.rng.IntN(2) == 0 {
		l.conn.CloseRead()
		for range 4 {
			a.send(l, a.wellFormed(), nil, daemontest.Patience)
		}
		return
	}
	var sent [][]byte
	for range a.rng.IntN(8) {
		p := a.wellFormed()
		if err := a.send(l, p, nil, daemontest.Patience); err != nil {
			a.siege.wrong("send a well-formed request: %v", err)
			return
		}
		sent = append(sent, p)
	}
	l.conn.CloseWrite()
	a.answers(l, sent)
	if b, err := l.receive(daemontest.Patience); !errors.Is(err, errClosed) {
		a.siege.wrong("%x, %v on a connection that was half closed", b, err)
	}
}

// dump reads a table whole or in part; another dump asked for meanwhile ends it.
func (a *attacker) dump() {
	l := a.open(ipc.PurposeDump)
	defer l.close()
	p := request(a.siege.t, ipc.Request{Op: ipc.OpDump, Seq: 7})
	for range 1 + a.rng.IntN(3)/2 {
		a.send(l, p, nil, daemontest.Patience)
	}
	// While somebody else is slow to read, there is no turn to be had.
	const turn = 50 * time.Millisecond
	for left := a.rng.IntN(50); left > 0; left-- {
		b, err := l.receive(turn)
		if err != nil {
			return
		}
		answer, data, err := ipc.DecodeAnswer(b)
		if err != nil || answer.Op != ipc.OpDump || answer.Seq != 7 || answer.End.Errno != 0 {
			a.siege.wrong("%+v, %v in a dump", answer, err)
		}
		if data == nil {
			return
		}
	}
}

// crowd takes more connections than there are.
func (a *attacker) crowd() {
	var lines []*line
	for range privd.DefaultConnections + a.rng.IntN(32) {
		l, err := dial(a.siege.socket)
		if err != nil {
			a.siege.wrong("%v", err)
			break
		}
		defer l.close()
		lines = append(lines, l)
	}
	served := 0
	for _, l := range lines {
		switch err := l.hello(ipc.PurposeControl); {
		case err == nil:
			served++
		case !errors.Is(err, errClosed):
			a.siege.wrong("hello in a crowd: %v", err)
		}
		a.siege.sent.Add(1)
	}
	if served > privd.DefaultConnections {
		a.siege.wrong("%d connections were served at once", served)
	}
}
