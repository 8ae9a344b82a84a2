// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"errors"
	"strings"
	"testing"
)

func TestParseLegacy(t *testing.T) {
	const hexOfTest = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3" // printf test | sha1sum
	tests := map[string]struct {
		text string
		kind Kind
		want string // "": is accepted, for the password "test" if it is SHA-1
	}{
		"htpasswd -s":         {"{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", SHA1, ""},
		"pyctd":               {hexOfTest, SHA1, ""},
		"pyctd, upper case":   {strings.ToUpper(hexOfTest), SHA1, ""},
		"bcrypt":              {bcryptAlice, Bcrypt, ""},
		"argon2id":            {argonSmall, Argon2id, ""},
		"no padding":          {"{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M", 0, "base64"},
		"newline inside":      {"{SHA}qUqP5cyxm6YcTAhz\n05Hph5gvu9M=", 0, "base64"},
		"too short":           {"{SHA}qUqP5cyxm6YcTAhz05Hphw==", 0, "20 bytes"},
		"nothing":             {"{SHA}", 0, "20 bytes"},
		"lower case prefix":   {"{sha}qUqP5cyxm6YcTAhz05Hph5gvu9M=", 0, "not accepted"},
		"39 digits":           {hexOfTest[1:], 0, "not accepted"},
		"41 digits":           {hexOfTest + "0", 0, "not accepted"},
		"40, one no digit":    {"g" + hexOfTest[1:], 0, "not accepted"},
		"salted":              {"{SSHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", 0, "salted SHA-1"},
		"plain text":          {"test", 0, "plain text"},
		"nothing at all":      {"", 0, "empty"},
		"SHA-256 hexadecimal": {strings.Repeat("0", 64), 0, "not accepted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := ParseLegacy(test.text)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				if err != nil && len(test.text) > 20 && strings.Contains(err.Error(), test.text[6:]) {
					t.Errorf("the error repeats the hash: %v", err)
				}
				return
			}
			if err != nil || d.Work().Kind != test.kind {
				t.Fatalf("got %v, %v", d.Work().Kind, err)
			}
			if test.kind != SHA1 {
				return
			}
			if !d.Verify("test") {
				t.Error("the password is refused")
			}
			for _, wrong := range []string{"", "Test", "test ", "test\x00", hexOfTest, strings.Repeat("x", 5000)} {
				if d.Verify(wrong) {
					t.Errorf("%q is accepted", wrong)
				}
			}
			if _, err := ParseDigest(test.text); !errors.Is(err, ErrKind) {
				t.Errorf("accepted without being asked: %v", err)
			}
		})
	}
	if _, err := Hash("test", SHA1); err == nil {
		t.Error("a SHA-1 hash was written")
	}
}
