// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"crypto/rand"
	"crypto/sha256"
)

const (
	// idBytes is the number of random bytes in an id: 256 bits.
	idBytes = 32
	// idLetters is the length of an id: one letter for each four bits.
	idLetters = 2 * idBytes
	// alphabet writes the sixteen values of four bits. It has no digit and no vowel:
	// clients in loosely typed languages turn text into numbers and dates where they
	// can. Without digits nothing is left of numbers but words (inf, nan, true, null)
	// and nothing of dates but words (mon, sep, now), and each of those has a vowel.
	// So an id survives every such client as the string it is. It is lower case
	// throughout, so that one that folds case does no harm either.
	alphabet = "bcdfghjklmnpqrst"
)

// digest is what the store keeps of an id: its SHA-256. A dump of the memory or a
// map printed by mistake shows nothing that can be sent as an id. An id has 256
// random bits, so that a plain hash without salt or stretching is enough.
type digest [sha256.Size]byte

// newID returns a fresh id. crypto/rand.Read does not fail: it ends the process
// rather than return weak bytes.
func newID() string {
	var raw [idBytes]byte
	rand.Read(raw[:])
	text := make([]byte, 0, idLetters)
	for _, b := range raw {
		text = append(text, alphabet[b>>4], alphabet[b&0x0f])
	}
	return string(text)
}

// digestOf hashes an id as a client sent it. ok is false for what newID cannot have
// made by its length, so that megabytes sent as an id are not hashed.
//
// The digest is then looked up in a map, whose comparison takes more or less time
// with more or less equal leading bytes. That needs no constant-time comparison:
// what a client could measure is how near the hash of his guess comes to the hash of
// a living id, and to choose the next guess by that he would have to find inputs for
// given prefixes of SHA-256, which costs more the nearer he gets and ends at
// a hash, not at an id.
func digestOf(id string) (d digest, ok bool) {
	if len(id) != idLetters {
		return digest{}, false
	}
	return sha256.Sum256([]byte(id)), true
}
