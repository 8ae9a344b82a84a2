// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// bcryptSize is the length of "$2b$", two digits of cost, "$", 22 characters of salt
	// and 31 of hash.
	bcryptSize     = 4 + 2 + 1 + 22 + 31
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

	argonPrefix = "$argon2id$"
	// argonVersion is 0x13, the version of RFC 9106.
	argonVersion = "v=19"
)

// parseBcrypt reads $2b$10$ and 53 characters. x/crypto takes any letter for the version
// and any cost up to 31, and reads garbage as far as it can: so all is checked here.
func parseBcrypt(text string) (Digest, error) {
	if len(text) != bcryptSize || text[6] != '$' {
		return Digest{}, fmt.Errorf("bcrypt hash is not of the form $2b$10$ and 53 characters (%d bytes)", len(text))
	}
	cost, err := parseNumber(text[4:6], true)
	if err != nil {
		return Digest{}, fmt.Errorf("parse bcrypt cost: %w", err)
	}
	if cost < minBcryptCost || cost > maxBcryptCost {
		return Digest{}, fmt.Errorf("bcrypt cost %d is not between %d and %d", cost, minBcryptCost, maxBcryptCost)
	}
	foreign := func(r rune) bool { return !strings.ContainsRune(bcryptAlphabet, r) }
	if strings.ContainsFunc(text[7:], foreign) {
		return Digest{}, errors.New("bcrypt hash contains a character that is not of its alphabet")
	}
	return Digest{work: Work{Kind: Bcrypt, Cost: int(cost)}, text: text}, nil
}

// parseArgon reads the PHC string format as RFC 9106's reference program writes it:
// $argon2id$v=19$m=65536,t=3,p=4$salt$tag, the last two in base64 without padding.
// Other versions, other orders and the optional keyid and data are refused.
func parseArgon(text string) (Digest, error) {
	parts := strings.Split(strings.TrimPrefix(text, argonPrefix), "$")
	if len(parts) != 4 {
		return Digest{}, fmt.Errorf("argon2id hash has %d parts, not version, parameters, salt and tag", len(parts))
	}
	if parts[0] != argonVersion {
		return Digest{}, errors.New("argon2id hash is not of version 19")
	}
	work, err := parseArgonWork(parts[1])
	if err != nil {
		return Digest{}, err
	}
	salt, err := parseBase64(parts[2], minArgonSalt, maxArgonSalt)
	if err != nil {
		return Digest{}, fmt.Errorf("parse argon2id salt: %w", err)
	}
	tag, err := parseBase64(parts[3], minArgonTag, maxArgonTag)
	if err != nil {
		return Digest{}, fmt.Errorf("parse argon2id tag: %w", err)
	}
	work.Tag = len(tag)
	return Digest{work: work, salt: salt, tag: tag}, nil
}

// parseArgonWork reads m=65536,t=3,p=4 and holds it against the bounds.
func parseArgonWork(text string) (Work, error) {
	params := strings.Split(text, ",")
	names := []string{"m=", "t=", "p="}
	if len(params) != len(names) {
		return Work{}, errors.New("argon2id parameters are not m, t and p")
	}
	var values [3]uint32
	for i, name := range names {
		digits, ok := strings.CutPrefix(params[i], name)
		if !ok {
			return Work{}, fmt.Errorf("argon2id parameter %d is not %s", i+1, name[:1])
		}
		v, err := parseNumber(digits, false)
		if err != nil {
			return Work{}, fmt.Errorf("parse argon2id %s: %w", name[:1], err)
		}
		values[i] = v
	}
	m, t, p := values[0], values[1], values[2]
	switch {
	case p < 1 || p > maxArgonLanes:
		return Work{}, fmt.Errorf("argon2id lanes p=%d are not between 1 and %d", p, maxArgonLanes)
	case m < 8*p || m > maxArgonMemory: // at least eight blocks a lane: RFC 9106, 3.1
		return Work{}, fmt.Errorf("argon2id memory m=%d KiB is not between %d and %d", m, 8*p, maxArgonMemory)
	case t < 1 || t > maxArgonPasses:
		return Work{}, fmt.Errorf("argon2id passes t=%d are not between 1 and %d", t, maxArgonPasses)
	case m*t > maxArgonWork: // at most 2^17 × 2^6: no overflow
		return Work{}, fmt.Errorf("argon2id work m=%d × t=%d is more than %d KiB", m, t, maxArgonWork)
	}
	return Work{Kind: Argon2id, Memory: m, Passes: t, Lanes: uint8(p)}, nil
}

// parseNumber reads decimal digits and nothing else. A leading zero is refused unless
// padded: the format wants one spelling for one number.
func parseNumber(text string, padded bool) (uint32, error) {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, errors.New("not a decimal number")
		}
	}
	if !padded && len(text) > 1 && text[0] == '0' {
		return 0, errors.New("number with a leading zero")
	}
	v, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, errors.New("not a number of 32 bits")
	}
	return uint32(v), nil
}

// parseBase64 reads standard base64 without padding, of low to high bytes.
func parseBase64(text string, low, high int) ([]byte, error) {
	encoding := base64.RawStdEncoding
	if n := encoding.DecodedLen(len(text)); n < low || n > high {
		return nil, fmt.Errorf("%d bytes are not between %d and %d", n, low, high)
	}
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("not base64") // the decoder would skip them
	}
	raw, err := encoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("not base64 without padding") // its own text may quote the hash
	}
	return raw, nil
}

// formatArgon writes what parseArgon reads.
func formatArgon(w Work, salt, tag []byte) string {
	encoding := base64.RawStdEncoding
	return fmt.Sprintf("%s%s$m=%d,t=%d,p=%d$%s$%s", argonPrefix, argonVersion,
		w.Memory, w.Passes, w.Lanes, encoding.EncodeToString(salt), encoding.EncodeToString(tag))
}

// matchArgon runs argon2id and compares. The comparison takes constant time.
func (d Digest) matchArgon(password string) bool {
	return subtle.ConstantTimeCompare(argonTag(password, d.salt, d.work), d.tag) == 1
}
