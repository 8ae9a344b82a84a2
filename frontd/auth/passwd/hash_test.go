// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Hashes made by other programs: htpasswd 2.4 (bcrypt) and the reference argon2 command
// of phc-winner-argon2.
const (
	bcryptAlice = "$2y$04$MJSEbiOfzaWWgRyZ4RuWou9AGXJafVzgDw.4vYtVHqv.X8gX8Gqpi"
	bcryptLong  = "$2y$04$UafAVyDVMTZnPJjj8ivemesYKYbBpB7zX5LJU8MgJzD3chJEzSsr2" // 72 × x
	argonSmall  = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$3j0+S6gGV20Zdm+eoztdkLUvOKbucBG7gA8asDqV4P8"
	argonLanes  = "$argon2id$v=19$m=256,t=2,p=4$c2FsdHNhbHRzYWx0c2FsdA$or7UQIfreo80CHrs2AmlBnx8rS7V6PjKEY176PKL2cc"
	argonLong   = "$argon2id$v=19$m=65,t=3,p=1$c2FsdHNhbHRzYWx0c2FsdA$1uVfHiKrAboVcgrRusKe1kloUvdN9jTK1KlbnY1fDr4vixJZuYk14zvmVo0BN1HUPgzPc+JC1wkxZOxe7/z03w"
	argon2i     = "$argon2i$v=19$m=256,t=2,p=4$c2FsdHNhbHRzYWx0c2FsdA$bpP1dxvb7VRN8POyXp97l49bj7z7ThHNmFAU9i/FfD0"
)

func TestVerify(t *testing.T) {
	tests := map[string]struct {
		hash, password string
		want           bool
	}{
		"bcrypt":                            {bcryptAlice, "correct horse", true},
		"bcrypt as 2a":                      {strings.Replace(bcryptAlice, "2y", "2a", 1), "correct horse", true},
		"bcrypt as 2b":                      {strings.Replace(bcryptAlice, "2y", "2b", 1), "correct horse", true},
		"bcrypt of 72 bytes":                {bcryptLong, strings.Repeat("x", 72), true},
		"argon2id":                          {argonSmall, "correct horse", true},
		"argon2id of four lanes":            {argonLanes, "correct horse", true},
		"argon2id of a long tag":            {argonLong, "pässwörd", true},
		"bcrypt, wrong":                     {bcryptAlice, "Correct horse", false},
		"bcrypt, empty":                     {bcryptAlice, "", false},
		"bcrypt, prefix":                    {bcryptAlice, "correct hors", false},
		"bcrypt, newline":                   {bcryptAlice, "correct horse\n", false},
		"bcrypt repeats what a NUL ends":    {bcryptAlice, "correct horse\x00correct horse", false},
		"bcrypt ignores what is beyond 72":  {bcryptLong, strings.Repeat("x", 73), false},
		"bcrypt, beyond any bound":          {bcryptLong, strings.Repeat("x", MaxPassword+1), false},
		"argon2id, wrong":                   {argonSmall, "Correct horse", false},
		"argon2id, empty":                   {argonSmall, "", false},
		"argon2id, NUL":                     {argonSmall, "correct horse\x00", false},
		"argon2id, megabytes":               {argonSmall, strings.Repeat("correct horse", 1<<17), false},
		"argon2id, decomposed":              {argonLong, "pa\u0308sswo\u0308rd", false},
		"argon2id, Latin-1":                 {argonLong, "p\xe4ssw\xf6rd", false},
		"argon2id, the hash as password":    {argonSmall, argonSmall, false},
		"argon2id, tag changed at its end":  {argonSmall[:len(argonSmall)-2] + "Q8", "correct horse", false},
		"argon2id, passes changed":          {strings.Replace(argonLanes, "t=2", "t=3", 1), "correct horse", false},
		"argon2id, lanes changed":           {strings.Replace(argonLanes, "p=4", "p=2", 1), "correct horse", false},
		"bcrypt, cost changed":              {strings.Replace(bcryptAlice, "$04$", "$05$", 1), "correct horse", false},
		"bcrypt, another's salt and a hash": {bcryptLong[:29] + bcryptAlice[29:], "correct horse", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := ParseDigest(test.hash)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Verify(test.password); got != test.want {
				t.Errorf("Verify: %v", got)
			}
		})
	}
	if (Digest{}).Verify("") || (Digest{}).Verify("x") {
		t.Error("the zero Digest matches a password")
	}
}

func TestParseDigestRefuses(t *testing.T) {
	const salt, tag = "c2FsdHNhbHRzYWx0c2FsdA", "3j0+S6gGV20Zdm+eoztdkLUvOKbucBG7gA8asDqV4P8"
	argon := func(params string) string { return "$argon2id$v=19$" + params + "$" + salt + "$" + tag }
	tests := map[string]struct{ hash, want string }{
		"empty":                  {"", "empty"},
		"plain text":             {"secret", "plain text"},
		"DES crypt":              {"LyDAEZKrzmUFI", "plain text, crypt"},
		"Apache MD5":             {"$apr1$T2pCM4Nu$r5mq9/hEDaVq8aj2MjTEX/", "Apache MD5"},
		"MD5 crypt":              {"$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "MD5 crypt"},
		"SHA-1":                  {"{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=", "SHA-1"},
		"bare SHA-1":             {"11f6ad8ec52a2984abaafd7c3b516503785c2072", "unknown"},
		"SHA-256 crypt":          {"$5$uHcVgI5JZFTymnww$JIL4FS36XQeG59BUC2Xs/7X9yMLLFxfQKMgL8M7cdm2", "SHA-256 crypt"},
		"argon2i":                {argon2i, "argon2i"},
		"locked account":         {"!" + bcryptAlice, "unknown"},
		"bcrypt 2x":              {strings.Replace(bcryptAlice, "2y", "2x", 1), "old or unknown bcrypt"},
		"bcrypt 2":               {strings.Replace(bcryptAlice, "2y", "2", 1), "old or unknown bcrypt"},
		"bcrypt cut":             {bcryptAlice[:59], "not of the form"},
		"bcrypt longer":          {bcryptAlice + "a", "not of the form"},
		"bcrypt of 31":           {strings.Replace(bcryptAlice, "$04$", "$31$", 1), "cost 31"},
		"bcrypt of 16":           {strings.Replace(bcryptAlice, "$04$", "$16$", 1), "cost 16"},
		"bcrypt of 3":            {strings.Replace(bcryptAlice, "$04$", "$03$", 1), "cost 3"},
		"bcrypt of +4":           {strings.Replace(bcryptAlice, "$04$", "$+4$", 1), "not a decimal number"},
		"bcrypt, bad character":  {bcryptAlice[:30] + "+" + bcryptAlice[31:], "alphabet"},
		"bcrypt, NUL":            {bcryptAlice[:59] + "\x00", "alphabet"},
		"argon2id, nothing":      {"$argon2id$", "parts"},
		"argon2id, no tag":       {"$argon2id$v=19$m=64,t=1,p=1$" + salt, "parts"},
		"argon2id, more":         {argonSmall + "$AAAA", "parts"},
		"argon2id, version 16":   {strings.Replace(argonSmall, "v=19", "v=16", 1), "version"},
		"argon2id, no version":   {strings.Replace(argonSmall, "v=19$", "", 1), "parts"},
		"argon2id, 4 TiB":        {argon("m=4294967295,t=1,p=1"), "memory"},
		"argon2id, 129 MiB":      {argon("m=131073,t=1,p=1"), "memory"},
		"argon2id, no memory":    {argon("m=0,t=1,p=1"), "memory"},
		"argon2id, 7 blocks":     {argon("m=7,t=1,p=1"), "memory"},
		"argon2id, 31 blocks, 4": {argon("m=31,t=1,p=4"), "memory"},
		"argon2id, no pass":      {argon("m=64,t=0,p=1"), "passes"},
		"argon2id, many passes":  {argon("m=64,t=65,p=1"), "passes"},
		"argon2id, much work":    {argon("m=131072,t=9,p=1"), "work"},
		"argon2id, no lane":      {argon("m=64,t=1,p=0"), "lanes"},
		"argon2id, 256 lanes":    {argon("m=65536,t=1,p=256"), "lanes"},
		"argon2id, overflow":     {argon("m=4294967360,t=1,p=1"), "32 bits"},
		"argon2id, negative":     {argon("m=-64,t=1,p=1"), "not a decimal"},
		"argon2id, zeros":        {argon("m=064,t=1,p=1"), "leading zero"},
		"argon2id, no number":    {argon("m=,t=1,p=1"), "32 bits"},
		"argon2id, other order":  {argon("t=1,m=64,p=1"), "parameter 1"},
		"argon2id, missing":      {argon("m=64,t=1"), "not m, t and p"},
		"argon2id, keyid":        {argon("m=64,t=1,p=1,keyid=AAAA"), "not m, t and p"},
		"argon2id, short salt":   {"$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + tag, "salt"},
		"argon2id, long salt":    {"$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("AAAA", 22) + "$" + tag, "salt"},
		"argon2id, short tag":    {"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$3j0+S6gG", "tag"},
		"argon2id, long tag":     {"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("AAAA", 22), "tag"},
		"argon2id, padded":       {argonSmall + "=", "base64"},
		"argon2id, URL alphabet": {strings.Replace(argonSmall, "+", "-", 1), "base64"},
		"argon2id, loose bits":   {argonSmall[:len(argonSmall)-1] + "9", "base64"},
		"argon2id, CR inside":    {argonSmall[:len(argonSmall)-4] + "\r" + argonSmall[len(argonSmall)-4:], "base64"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := ParseDigest(test.hash)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("ParseDigest: %v, want an error with %q", err, test.want)
			}
			if len(test.hash) > 12 && strings.Contains(err.Error(), test.hash[len(test.hash)-12:]) {
				t.Errorf("the error shows the hash: %v", err)
			}
			if d.Verify("") || d.Work() != (Work{}) {
				t.Error("a digest beside the error")
			}
		})
	}
}

func TestKindNotAccepted(t *testing.T) {
	for _, hash := range []string{"", "secret", "{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=", argon2i} {
		if _, err := ParseDigest(hash); !errors.Is(err, ErrKind) {
			t.Errorf("ParseDigest(%q): %v, want ErrKind", hash, err)
		}
	}
	if _, err := ParseDigest("$2y$99$"); err == nil || errors.Is(err, ErrKind) {
		t.Errorf("a malformed hash of a good kind: %v", err)
	}
}

func TestHash(t *testing.T) {
	cheap := map[string]Work{
		"bcrypt":   {Kind: Bcrypt, Cost: minBcryptCost},
		"argon2id": {Kind: Argon2id, Memory: 64, Passes: 1, Lanes: 2, Tag: ArgonTag},
	}
	for name, work := range cheap {
		t.Run(name, func(t *testing.T) {
			text, err := hashWith("correct horse", work)
			if err != nil {
				t.Fatal(err)
			}
			d, err := ParseDigest(text)
			if err != nil {
				t.Fatal(err)
			}
			if d.Work() != work {
				t.Errorf("work %+v, want %+v", d.Work(), work)
			}
			if !d.Verify("correct horse") || d.Verify("wrong") {
				t.Error("the hash does not match its password, or a wrong one")
			}
			if again, _ := hashWith("correct horse", work); again == text {
				t.Error("two hashes of one password are the same: no salt")
			}
		})
	}
}

// TestHashDefaults makes one of each kind as nuctl does.
func TestHashDefaults(t *testing.T) {
	for _, kind := range []Kind{Bcrypt, Argon2id} {
		text, err := Hash("correct horse", kind)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDigest(text)
		if err != nil || d.Work().Kind != kind || !d.Verify("correct horse") {
			t.Errorf("%v: %v", kind, err)
		}
		if kind == Bcrypt {
			if !strings.HasPrefix(text, "$2y$") {
				t.Errorf("not named as htpasswd names it: %.4s", text)
			}
			if cost, err := bcrypt.Cost([]byte(text)); err != nil || cost != BcryptCost {
				t.Errorf("cost %d, %v", cost, err)
			}
		}
	}
}

func TestHashRefuses(t *testing.T) {
	tests := map[string]struct {
		password string
		kind     Kind
		want     string
	}{
		"empty":              {"", Bcrypt, "empty"},
		"empty, argon2id":    {"", Argon2id, "empty"},
		"73 bytes, bcrypt":   {strings.Repeat("x", 73), Bcrypt, "argon2id"},
		"37 umlauts, bcrypt": {strings.Repeat("ä", 37), Bcrypt, "74 bytes"},
		"beyond 1 KiB":       {strings.Repeat("x", MaxPassword+1), Argon2id, "1025 bytes"},
		"Latin-1":            {"p\xe4ss", Argon2id, "UTF-8"},
		"NUL":                {"a\x00a", Bcrypt, "NUL"},
		"no kind":            {"secret", 0, "not accepted"},
		"another kind":       {"secret", 99, "not accepted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := Hash(test.password, test.kind)
			if err == nil || !strings.Contains(err.Error(), test.want) || text != "" {
				t.Errorf("Hash: %q, %v, want an error with %q", text, err, test.want)
			}
		})
	}
}

func TestCheckName(t *testing.T) {
	good := []string{
		"a", "ann", "ann lee", "ann@example.org", "*)(uid=*", "müller", "дарья", "李", `a"b\c`, "<b>",
		strings.Repeat("x", MaxName), "🦊", "#ann", "e\u0301",
	}
	for _, name := range good {
		if err := CheckName(name); err != nil {
			t.Errorf("CheckName(%q): %v", name, err)
		}
	}
	bad := map[string]string{
		"empty":            "",
		"too long":         strings.Repeat("x", MaxName+1),
		"too long, runes":  strings.Repeat("ä", 32),
		"not UTF-8":        "m\xfcller",
		"surrogate":        "a\xed\xa0\x80b",
		"overlong":         "a\xc0\xbab",
		"colon":            "ann:x",
		"leading space":    " ann",
		"trailing space":   "ann ",
		"no-break space":   "ann\u00a0",
		"newline":          "ann\nroot",
		"NUL":              "ann\x00",
		"DEL":              "ann\x7fa",
		"C1 control":       "a\u0085n",
		"tab":              "a\tn",
		"right to left":    "a\u202en",
		"isolate":          "a\u2066n",
		"zero width space": "a\u200bn",
		"joiner":           "a\u200dn",
		"soft hyphen":      "a\u00adn",
		"byte order mark":  "\ufeffann",
		"tag character":    "a\U000e0041n",
		"line separator":   "a\u2028n",
		"paragraph":        "a\u2029n",
		"private use":      "a\ue000n",
	}
	for name, user := range bad {
		t.Run(name, func(t *testing.T) {
			err := CheckName(user)
			if err == nil {
				t.Fatalf("CheckName(%q): accepted", user)
			}
			for _, r := range err.Error() {
				if r < ' ' || r > '~' {
					t.Errorf("the error carries %U", r)
				}
			}
		})
	}
}

func FuzzParseDigest(f *testing.F) {
	for _, seed := range []string{
		"", "secret", bcryptAlice, bcryptLong, argonSmall, argonLanes, argonLong, argon2i,
		"$argon2id$v=19$m=65536,t=3,p=4$AAAA$AAAA", "$2b$10$", "$2y$04$" + strings.Repeat(".", 53),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDigest(text)
		if err != nil {
			if d.Work() != (Work{}) {
				t.Error("a digest beside the error")
			}
			return
		}
		w := d.Work()
		switch w.Kind {
		case Bcrypt:
			if w.Cost < minBcryptCost || w.Cost > maxBcryptCost || d.text != text {
				t.Errorf("bcrypt out of bounds: %+v", w)
			}
			if cost, err := bcrypt.Cost([]byte(text)); err != nil || cost != w.Cost {
				t.Errorf("x/crypto reads cost %d, %v", cost, err)
			}
		case Argon2id:
			if w.Memory > maxArgonMemory || w.Memory*w.Passes > maxArgonWork || w.Lanes == 0 || w.Memory < 8*uint32(w.Lanes) {
				t.Errorf("argon2id out of bounds: %+v", w)
			}
			if back := formatArgon(w, d.salt, d.tag); back != text {
				t.Errorf("written back as %q", back)
			}
		default:
			t.Errorf("accepted without a kind: %+v", w)
		}
	})
}

func TestApacheFile(t *testing.T) {
	data, err := os.ReadFile("testdata/htpasswd")
	if err != nil {
		t.Fatal(err)
	}
	file, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(file.Users(), " "); got != "alice bob carol dave erin frank" {
		t.Errorf("users: %s", got)
	}
	passwords := map[string]string{"alice": "correct horse", "bob": "pässwörd"}
	for _, user := range file.Users() {
		hash, _, _ := file.Lookup(user)
		d, err := ParseDigest(hash)
		password, accepted := passwords[user]
		if !accepted {
			if !errors.Is(err, ErrKind) {
				t.Errorf("%s: %v, want ErrKind", user, err)
			}
			continue
		}
		if err != nil || !d.Verify(password) || d.Verify(password+".") {
			t.Errorf("%s: %v", user, err)
		}
	}
}
