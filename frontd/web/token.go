// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// A token stands in every form, and what a form does is not done without it: a page of another
// site can make a browser send a form, cookie and all where SameSite fails, but not read
// ours. It is a hash of what is in the cookie under a key that nobody has, so that it is good for
// one session, there is nothing to keep, and it does not give the session away.

// signer makes tokens. Those of another run of the daemon are none of this one.
type signer struct{ key [sha256.Size]byte }

func newSigner() *signer {
	s := &signer{}
	rand.Read(s.key[:]) // never fails, says its documentation
	return s
}

// What a token is for, so that one is never good for the other.
const (
	forSession = "session"
	forLogin   = "login"
)

// token makes the token that goes with a cookie.
func (s *signer) token(use, cookie string) string {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(use + "\x00" + cookie))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// good compares in a time that tells nothing. Without a cookie no token is good.
func (s *signer) good(use, cookie, token string) bool {
	return cookie != "" && hmac.Equal([]byte(token), []byte(s.token(use, cookie)))
}
