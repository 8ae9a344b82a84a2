// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// shaPrefix marks what Apache's htpasswd -s writes.
const shaPrefix = "{SHA}"

// ParseLegacy reads what ParseDigest does, and unsalted SHA-1 hashes besides: those of Apache's
// htpasswd -s, and the 40 hexadecimal digits of pyctd's files. A processor of today tries
// a thousand million passwords a second against them: they are for administrators who are on
// their way to something better.
func ParseLegacy(text string) (Digest, error) {
	if encoded, ok := strings.CutPrefix(text, shaPrefix); ok {
		sum, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(sum) != sha1.Size || strings.ContainsAny(encoded, "\r\n") {
			return Digest{}, errors.New("SHA-1 hash is not {SHA} and base64 of 20 bytes")
		}
		return Digest{work: Work{Kind: SHA1}, tag: sum}, nil
	}
	if len(text) == hex.EncodedLen(sha1.Size) {
		if sum, err := hex.DecodeString(text); err == nil {
			return Digest{work: Work{Kind: SHA1}, tag: sum}, nil
		}
	}
	return ParseDigest(text)
}

// matchSHA compares in constant time.
func (d Digest) matchSHA(password string) bool {
	sum := sha1.Sum([]byte(password))
	return subtle.ConstantTimeCompare(sum[:], d.tag) == 1
}
