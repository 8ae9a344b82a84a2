// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"nuconntrack/ipc"
)

// Where things stand in a request, by the specification of package ipc. What the tests
// say about a packet they say by these, not by ipc's decoder.
const (
	headerSize = 24
	targetSize = 88
	opAt       = 3
	idAt       = headerSize + 4
	origAt     = headerSize + 8
	replyAt    = headerSize + 48
	actorAt    = headerSize + targetSize
	userAt     = actorAt + 8
	clientAt   = userAt + ipc.TextSize
	fieldAt    = clientAt + ipc.TextSize
)

// claims are names that a line of the audit could be forged with, if anything could.
var claims = [...]string{
	"", "alice", "root", `","NUCT_OUTCOME":"killed","X":"`, `\u000a{"NUCT_PHASE":"result"}`,
	"NUCT_PEER_UID=0", "<script>", "%s%n", "日本語", "' OR 1=1 --", "\u00e9\u00e9",
	"0123456789012345678901234567890123456789012345678901234567890123",
}

// poisons are texts that must not pass: controls, bidi, broken UTF-8, a zero inside.
var poisons = [...]string{
	"a\nb", "a\rb", "\x1b[2J", "a\x00b", "\u202eevil", "\u2066x", "\ufeff", "\xff\xfe", "\xc0\x80", "\u2028", "\u00a0",
}

func request(t testing.TB, r ipc.Request) []byte {
	t.Helper()
	b, err := r.Append(nil)
	if err != nil {
		t.Fatalf("encode %+v: %v", r, err)
	}
	return b
}

// wellFormed makes a request that the wire takes: for victims what frontd may ask for,
// for others too; for bystanders, almost.
func (a *attacker) wellFormed() []byte {
	r := ipc.Request{Op: ipc.OpKill, Seq: a.rng.Uint64(), Target: a.target(), Actor: ipc.Actor{
		RequestID: a.rng.Uint64(), User: pick(a.rng, claims[:]), Client: pick(a.rng, claims[:])}}
	switch n := a.rng.IntN(20); {
	case n == 0:
		r = ipc.Request{Op: ipc.OpStats, Seq: r.Seq}
	case n < 8:
		r.Op = ipc.OpChange
		mask := a.rng.Uint32() & markMask
		if a.rng.IntN(10) == 0 {
			mask = a.rng.Uint32()
		}
		r.Change = ipc.Change{Field: ipc.FieldMark, Mask: mask, Value: a.rng.Uint32() & mask}
	case n < 10:
		r.Op = ipc.OpChange
		r.Change = ipc.Change{Field: ipc.FieldTimeout, Value: minTimeout + a.rng.Uint32N(firstTimeout-minTimeout)}
		if a.rng.IntN(3) == 0 {
			r.Change.Value = 1 + a.rng.Uint32N(minTimeout-1) // a kill in disguise
		}
	}
	return request(a.siege.t, r)
}

// target names a connection, or none.
func (a *attacker) target() ipc.Target {
	scene := a.siege.scene
	switch n := a.rng.IntN(100); {
	case n < 40:
		return pick(a.rng, scene.of[victim]).target
	case n < 65:
		return pick(a.rng, scene.of[protected]).target
	case n < 72:
		return pick(a.rng, scene.of[foreign]).target
	}
	all := [...]class{protected, foreign, bystander, victim, reserve}
	return a.nearly(pick(a.rng, scene.of[pick(a.rng, all[:])]).target)
}

// nearly names another connection than t, by a difference that a careless helper would
// not see.
func (a *attacker) nearly(t ipc.Target) ipc.Target {
	switch a.rng.IntN(8) {
	case 0:
		t.ID ^= 1 << a.rng.IntN(32)
	case 1:
		t.ID = pick(a.rng, a.siege.scene.all).target.ID ^ 1
	case 2:
		t.Orig.SrcPort ^= 1
	case 3:
		t.Reply.SrcPort ^= 1
	case 4:
		t.Orig, t.Reply = t.Reply, t.Orig
	case 5: // the same port, whichever protocol and addresses
		other := pick(a.rng, a.siege.scene.of[protected]).target
		other.ID = t.ID
		return other
	case 6:
		t.Orig.Zone ^= 7
	case 7:
		t.Reply.Zone, t.Orig.Zone = t.Reply.Zone^9, t.Orig.Zone^9
	}
	return t
}

// mutated makes a packet of one or two well-formed ones.
func (a *attacker) mutated() []byte {
	p := a.wellFormed()
	switch a.rng.IntN(7) {
	case 0, 1:
		for range 1 + a.rng.IntN(4) {
			p[a.rng.IntN(len(p))] ^= 1 << a.rng.IntN(8)
		}
	case 2:
		p[a.rng.IntN(len(p))] = byte(a.rng.Uint32())
	case 3:
		a.swap(p)
	case 4:
		q := a.wellFormed()
		cut := a.rng.IntN(min(len(p), len(q)))
		p = append(p[:cut:cut], q[cut:]...)
	case 5:
		p = p[:1+a.rng.IntN(len(p)-1)]
		if a.rng.IntN(2) == 0 && len(p) >= headerSize { // a length that fits
			binary.BigEndian.PutUint32(p[16:], uint32(len(p)-headerSize))
		}
	case 6:
		p = append(p, make([]byte, 1+a.rng.IntN(64))...)
		if a.rng.IntN(2) == 0 {
			binary.BigEndian.PutUint32(p[16:], uint32(len(p)-headerSize))
		}
	}
	return p
}

// poisoned claims a name that must not reach the audit.
func (a *attacker) poisoned() []byte {
	p := request(a.siege.t, ipc.Request{Op: ipc.OpKill, Target: a.target()})
	copy(p[pick(a.rng, []int{userAt, clientAt}):], pick(a.rng, poisons[:]))
	return p
}

// swap exchanges two fields of a request that has a target, or two words of one that has
// none.
func (a *attacker) swap(p []byte) {
	fields := [...][3]int{ // two places and a size
		{origAt, replyAt, 40}, {origAt + 8, origAt + 24, 16}, {origAt + 4, origAt + 6, 2},
		{idAt, origAt + 8, 4}, {userAt, clientAt, ipc.TextSize}, {replyAt + 8, replyAt + 24, 16},
		{origAt + 2, replyAt + 2, 2}, {idAt, actorAt, 4}, {headerSize, headerSize + 1, 1},
	}
	f := pick(a.rng, fields[:])
	if len(p) < fieldAt {
		f = [3]int{0, 8, 8}
	}
	x, y := p[f[0]:f[0]+f[2]], p[f[1]:f[1]+f[2]]
	for i := range x {
		x[i], y[i] = y[i], x[i]
	}
}

// random makes a packet of chance, now and then behind a header that is right.
func (a *attacker) random() []byte {
	sizes := [...]int{1, headerSize, 300, 4096, 70_000, 150_000}
	p := make([]byte, 1+a.rng.IntN(pick(a.rng, sizes[:])))
	for i := range p {
		p[i] = byte(a.rng.Uint32())
	}
	if a.rng.IntN(2) == 0 {
		h := a.wellFormed()[:headerSize]
		if copy(p, h) == headerSize {
			binary.BigEndian.PutUint32(p[16:], uint32(len(p)-headerSize))
		}
	}
	return p
}

// prepare sees to it that no packet asks for a bystander by accident, and notes what is
// asked for.
func (s *scene) prepare(p []byte) {
	if len(p) < actorAt {
		return
	}
	c := s.byBytes[[targetSize]byte(p[headerSize:actorAt])]
	switch {
	case c == nil:
	case c.class == bystander || c.class == reserve:
		p[idAt] ^= 0x80
		if s.byBytes[[targetSize]byte(p[headerSize:actorAt])] != nil {
			panic("two connections with the same tuples")
		}
	default:
		c.note(p)
	}
}

func (c *connection) note(p []byte) {
	switch {
	case p[opAt] == byte(ipc.OpKill):
		c.askedKill.Store(true)
	case len(p) > fieldAt && p[fieldAt] == byte(ipc.FieldMark):
		c.askedMark.Store(true)
	case len(p) > fieldAt && p[fieldAt] == byte(ipc.FieldTimeout):
		c.askedTimeout.Store(true)
	}
}

// named gives the connection that a packet names exactly, nil if it names none.
func (s *scene) named(p []byte) *connection {
	if len(p) < actorAt {
		return nil
	}
	return s.byBytes[[targetSize]byte(p[headerSize:actorAt])]
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
