// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Kind is an algorithm. The zero value is none.
type Kind int

// The kinds that are accepted.
const (
	Bcrypt   Kind = iota + 1 // $2a$, $2b$, $2y$
	Argon2id                 // $argon2id$v=19$, RFC 9106
	SHA1                     // {SHA} and base64, or 40 hexadecimal digits: ParseLegacy reads it, nothing writes it
)

func (k Kind) String() string {
	switch k {
	case Bcrypt:
		return "bcrypt"
	case Argon2id:
		return "argon2id"
	case SHA1:
		return "SHA-1"
	}
	return "none"
}

// ErrKind means that a hash is of a kind that is known or suspected to be too weak, or
// that is not known. Its text never contains the hash.
var ErrKind = errors.New("kind of hash not accepted")

// Work is what verifying a password costs. Two hashes of equal Work take the same time,
// whatever the passwords are.
type Work struct {
	Kind   Kind
	Cost   int    // bcrypt: log2 of the rounds
	Memory uint32 // argon2id: KiB
	Passes uint32 // argon2id
	Lanes  uint8  // argon2id
	Tag    int    // argon2id: bytes of output
}

// A Digest is one stored hash, parsed and within the bounds. The zero value matches no
// password.
type Digest struct {
	work Work
	text string // bcrypt: the whole hash, as x/crypto wants it
	salt []byte // argon2id
	tag  []byte // argon2id, SHA-1
}

// Work returns what Verify costs. It is comparable.
func (d Digest) Work() Work { return d.work }

// ParseDigest reads the stored form of a hash. Kinds that are not accepted give an error
// that is ErrKind.
func ParseDigest(text string) (Digest, error) {
	switch {
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		return parseBcrypt(text)
	case strings.HasPrefix(text, argonPrefix):
		return parseArgon(text)
	}
	return Digest{}, fmt.Errorf("%w: %s", ErrKind, foreignKind(text))
}

// foreignKind names what was met instead of an accepted hash, for the administrator.
func foreignKind(text string) string {
	for _, known := range []struct{ prefix, name string }{
		{"$apr1$", "Apache MD5"},
		{"{SHA}", "SHA-1"},
		{"{SSHA}", "salted SHA-1"},
		{"$1$", "MD5 crypt"},
		{"$5$", "SHA-256 crypt"},
		{"$6$", "SHA-512 crypt"},
		{"$y$", "yescrypt"},
		{"$7$", "scrypt"},
		{"$argon2i$", "argon2i"},
		{"$argon2d$", "argon2d"},
		{"$2", "an old or unknown bcrypt"},
	} {
		if strings.HasPrefix(text, known.prefix) {
			return known.name
		}
	}
	if text == "" {
		return "empty"
	}
	return "plain text, crypt, or unknown"
}

// CheckPassword says why a password cannot be set with this kind of hash.
func CheckPassword(password string, kind Kind) error {
	switch {
	case password == "":
		return errors.New("password is empty")
	case len(password) > MaxPassword:
		return fmt.Errorf("password has %d bytes, more than %d", len(password), MaxPassword)
	case kind == Bcrypt && len(password) > MaxBcryptPassword:
		return fmt.Errorf("password has %d bytes, bcrypt reads only %d: choose a shorter one, or argon2id",
			len(password), MaxBcryptPassword)
	case !utf8.ValidString(password):
		return errors.New("password is not valid UTF-8, no client could send it")
	case strings.ContainsRune(password, 0):
		return errors.New("password contains a NUL character")
	}
	return nil
}

// Hash returns a new hash of a password, in its stored form.
func Hash(password string, kind Kind) (string, error) {
	return hashWith(password, Work{
		Kind:   kind,
		Cost:   BcryptCost,
		Memory: ArgonMemory,
		Passes: ArgonPasses,
		Lanes:  ArgonLanes,
		Tag:    ArgonTag,
	})
}

// hashWith is Hash with the parameters of its kind given.
func hashWith(password string, w Work) (string, error) {
	if err := CheckPassword(password, w.Kind); err != nil {
		return "", err
	}
	switch w.Kind {
	case Bcrypt:
		text, err := bcrypt.GenerateFromPassword([]byte(password), w.Cost)
		if err != nil {
			return "", fmt.Errorf("hash password: %w", err)
		}
		// The same algorithm under the name that htpasswd gives it: for what crypt(3)
		// calls 2a it adds a guard against an old mistake, and some passwords beyond ASCII
		// would not match in Apache.
		return strings.Replace(string(text), "$2a$", "$2y$", 1), nil
	case Argon2id:
		salt := make([]byte, ArgonSalt)
		rand.Read(salt) // ends the process rather than fail
		return formatArgon(w, salt, argonTag(password, salt, w)), nil
	}
	return "", fmt.Errorf("hash password: %w", ErrKind)
}

// Verify says whether the password is the one that was hashed. It takes the time of
// Work whatever the answer; passwords that can never match (empty, longer than
// MaxPassword, with a NUL, too long for bcrypt) are the work too, for the same reason.
// It cannot be interrupted.
func (d Digest) Verify(password string) bool {
	ok := CheckPassword(password, d.work.Kind) == nil
	if len(password) > MaxPassword {
		password = password[:MaxPassword]
	}
	switch d.work.Kind {
	case Bcrypt:
		if len(password) > MaxBcryptPassword {
			password = password[:MaxBcryptPassword] // for the time it takes; ok is false
		}
		// bcrypt repeats the password with a NUL between, so that "a" and "a\x00a" would
		// be one password: ok is false for the latter.
		return bcrypt.CompareHashAndPassword([]byte(d.text), []byte(password)) == nil && ok
	case Argon2id:
		return d.matchArgon(password) && ok
	case SHA1:
		return d.matchSHA(password) && ok
	}
	return false
}

// argonTag runs argon2id.
func argonTag(password string, salt []byte, w Work) []byte {
	return argon2.IDKey([]byte(password), salt, w.Passes, w.Memory, w.Lanes, uint32(w.Tag))
}
