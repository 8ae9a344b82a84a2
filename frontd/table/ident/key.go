// SPDX-License-Identifier: GPL-2.0-or-later

package ident

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
	maxKey = 1 + (MaxPacked*8+5)/6
)

var keyEncoding = base64.NewEncoding(keyAlphabet).WithPadding(base64.NoPadding)

// errKey is the one thing wrong with a key: it is opaque, and nobody but EncodeKey
// makes any.
var errKey = errors.New("not a key")

// EncodeKey writes the key that names exactly this connection: the same for all users,
// in every run, 41 characters for TCP over IPv4 and at most 111.
func EncodeKey(t ipc.Target) string {
	n := Of(t)
	return n.Key()
}

// Key is the key: see EncodeKey.
func (n *Ident) Key() string {
	var packed [MaxPacked]byte
	var text [maxKey]byte
	text[0] = keyPrefix
	b := n.Pack(packed[:0])
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
	t := n.Target()
	if err := t.Check(); err != nil {
		return ipc.Target{}, fmt.Errorf("%w: %w", errKey, err)
	}
	// The decoder skips line ends and spare bits, and ports may be spelt where none are.
	if EncodeKey(t) != s {
		return ipc.Target{}, errKey
	}
	return t, nil
}
