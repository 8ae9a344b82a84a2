// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/base64"
	"errors"
	"fmt"

	"nuconntrack/ipc"
)

// A key is 'k' and a packed ident in base64 with the URL-safe letters in the order of
// ASCII, without padding: keys order as text exactly as idents do packed. The letter in
// front keeps a key from ever being taken for an id.
const (
	keyPrefix   = 'k'
	keyAlphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
	// maxKey is the length of the longest key.
	maxKey = 1 + (maxPacked*8+5)/6
)

var keyEncoding = base64.NewEncoding(keyAlphabet).WithPadding(base64.NoPadding)

// errKey is the one thing wrong with a key: it is opaque, and nobody but EncodeKey
// makes any.
var errKey = errors.New("not a key")

// EncodeKey writes the key that names exactly this connection: the same for all users,
// in every run, 41 characters for TCP over IPv4 and at most 111.
func EncodeKey(t ipc.Target) string {
	n := identOf(t)
	return n.key()
}

func (n *ident) key() string {
	var packed [maxPacked]byte
	var text [maxKey]byte
	text[0] = keyPrefix
	b := n.pack(packed[:0])
	keyEncoding.Encode(text[1:], b)
	return string(text[:1+keyEncoding.EncodedLen(len(b))])
}

// DecodeKey reads a key. It refuses, with an error that quotes nothing of it, whatever
// EncodeKey would not write.
func DecodeKey(s string) (ipc.Target, error) {
	if len(s) < 2 || len(s) > maxKey || s[0] != keyPrefix {
		return ipc.Target{}, errKey
	}
	b, err := keyEncoding.DecodeString(s[1:])
	if err != nil {
		return ipc.Target{}, errKey
	}
	n, ok := unpack(b)
	if !ok {
		return ipc.Target{}, errKey
	}
	t := n.target()
	if err := t.Check(); err != nil {
		return ipc.Target{}, fmt.Errorf("%w: %w", errKey, err)
	}
	// The decoder skips line ends and spare bits, and ports may be spelt where none are.
	if EncodeKey(t) != s {
		return ipc.Target{}, errKey
	}
	return t, nil
}

// Target names the row's connection to the helper.
func (s *Snapshot) Target(row int32) ipc.Target {
	n := s.ident(row)
	return n.target()
}

// Key is the row's key.
func (s *Snapshot) Key(row int32) string {
	n := s.ident(row)
	return n.key()
}

// FindTarget looks for exactly this connection.
func (s *Snapshot) FindTarget(t ipc.Target) (int32, bool) {
	n := identOf(t)
	return s.find(s.byTarget.hash(&n), &n)
}

// FindIDs gives, for each of these ids of the kernel's, all rows that have it: nearly
// always one or none, but ids are 32-bit hashes, and a million connections hold about a
// hundred pairs. It looks at all rows once, however many ids there are.
func (s *Snapshot) FindIDs(ids []uint32) map[uint32][]int32 {
	rows := make(map[uint32][]int32, len(ids))
	if len(ids) == 0 {
		return rows
	}
	const mask = 1<<16 - 1
	var low [(mask + 1) / 64]uint64 // the low bits of the wanted, so that most rows are left out at once
	for _, id := range ids {
		rows[id] = nil
		low[(id&mask)/64] |= 1 << (id % 64)
	}
	for row, id := range s.id {
		if low[(id&mask)/64]&(1<<(id%64)) == 0 {
			continue
		}
		if of, wanted := rows[id]; wanted && s.has[row]&hasID != 0 {
			rows[id] = append(of, int32(row))
		}
	}
	return rows
}
