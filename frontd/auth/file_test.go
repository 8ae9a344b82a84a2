// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"nuconntrack/frontd/auth/passwd"
)

// Hashes of "correct horse", cheap to verify.
const (
	bcryptHash = "$2y$04$MJSEbiOfzaWWgRyZ4RuWou9AGXJafVzgDw.4vYtVHqv.X8gX8Gqpi"
	argonHash  = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$3j0+S6gGV20Zdm+eoztdkLUvOKbucBG7gA8asDqV4P8"
	// bcryptLong is that of 72 × x.
	bcryptLong = "$2y$04$UafAVyDVMTZnPJjj8ivemesYKYbBpB7zX5LJU8MgJzD3chJEzSsr2"
)

const contents = `# users of the firewall
ann:` + bcryptHash + `
bob:` + argonHash + `
cid:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=
dan:correct horse
long:` + bcryptLong + `
eve
`

// A backend under test: it counts what is hashed, and keeps the log.
type backend struct {
	*File
	path string
	log  *bytes.Buffer

	mu   sync.Mutex
	work []passwd.Work
}

func newBackend(t *testing.T, text string, mode fs.FileMode) *backend {
	t.Helper()
	b := &backend{path: filepath.Join(t.TempDir(), "passwd"), log: &bytes.Buffer{}}
	b.write(t, text, mode)
	b.File = NewFile(FileConfig{Path: b.path, Log: slog.New(slog.NewTextHandler(b.log, nil))})
	verify := b.verify
	b.verify = func(d passwd.Digest, password string) bool {
		b.mu.Lock()
		b.work = append(b.work, d.Work())
		b.mu.Unlock()
		return verify(d, password)
	}
	return b
}

func (b *backend) write(t *testing.T, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(b.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(b.path, mode); err != nil {
		t.Fatal(err)
	}
}

func (b *backend) login(ctx context.Context, args ...any) error {
	id, err := b.Login(ctx, Request{Args: args})
	switch {
	case err == nil && id != (Identity{User: args[0].(string)}):
		return fmt.Errorf("let in as %+v", id)
	case err != nil && id != (Identity{}):
		return fmt.Errorf("identity %+v beside the error %w", id, err)
	}
	return err
}

func TestFileLogin(t *testing.T) {
	tests := map[string]struct {
		args   []any
		want   error
		hashes int
		reason string
	}{
		"bcrypt":                     {[]any{"ann", "correct horse"}, nil, 1, ""},
		"argon2id":                   {[]any{"bob", "correct horse"}, nil, 1, ""},
		"bcrypt of 72 bytes":         {[]any{"long", strings.Repeat("x", 72)}, nil, 1, ""},
		"bcrypt, 73 bytes":           {[]any{"long", strings.Repeat("x", 73)}, ErrDenied, 1, "wrong password"},
		"wrong password":             {[]any{"ann", "wrong"}, ErrDenied, 1, "wrong password"},
		"another's password":         {[]any{"long", "correct horse"}, ErrDenied, 1, "wrong password"},
		"password with NUL":          {[]any{"ann", "correct horse\x00"}, ErrDenied, 1, "wrong password"},
		"password of 1 KiB":          {[]any{"ann", strings.Repeat("x", passwd.MaxPassword)}, ErrDenied, 1, "wrong password"},
		"unknown user is hashed too": {[]any{"nobody", "correct horse"}, ErrDenied, 1, "unknown user"},
		"user in another case":       {[]any{"Ann", "correct horse"}, ErrDenied, 1, "unknown user"},
		"comment as user":            {[]any{"# users of the firewall", "x"}, ErrDenied, 1, "unknown user"},
		"user without hash":          {[]any{"eve", "x"}, ErrDenied, 1, "unknown user"},
		"SHA-1":                      {[]any{"cid", "x"}, ErrDenied, 1, "not accepted"},
		"plain text":                 {[]any{"dan", "correct horse"}, ErrDenied, 1, "not accepted"},
		"hash as password":           {[]any{"ann", bcryptHash}, ErrDenied, 1, "wrong password"},
		"empty password":             {[]any{"ann", ""}, ErrDenied, 0, "empty password"},
		"empty user":                 {[]any{"", "correct horse"}, ErrDenied, 0, "name"},
		"password too long":          {[]any{"ann", strings.Repeat("x", passwd.MaxPassword+1)}, ErrDenied, 0, "too long"},
		"user too long":              {[]any{strings.Repeat("a", 1<<20), "x"}, ErrDenied, 0, "name"},
		"user with colon":            {[]any{"ann:" + bcryptHash, "x"}, ErrDenied, 0, "name"},
		"user of two lines":          {[]any{"ann\nbob", "x"}, ErrDenied, 0, "name"},
		"nothing":                    {nil, ErrArguments, 0, ""},
		"no password":                {[]any{"ann"}, ErrArguments, 0, ""},
		"one too many":               {[]any{"ann", "correct horse", ""}, ErrArguments, 0, ""},
		"password is a number":       {[]any{"ann", 1234}, ErrArguments, 0, ""},
		"user is a struct":           {[]any{map[string]any{}, "correct horse"}, ErrArguments, 0, ""},
		"password is nil":            {[]any{"ann", nil}, ErrArguments, 0, ""},
		"password is bytes":          {[]any{"ann", []byte("correct horse")}, ErrArguments, 0, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, contents, 0o640)
			err := b.login(t.Context(), test.args...)
			if !errors.Is(err, test.want) {
				t.Errorf("Login: %v, want %v", err, test.want)
			}
			if test.reason != "" && !strings.Contains(fmt.Sprint(err), test.reason) {
				t.Errorf("Login: %v, without the reason %q", err, test.reason)
			}
			if len(b.work) != test.hashes {
				t.Errorf("%d hashes computed, want %d", len(b.work), test.hashes)
			}
			for _, secret := range []string{"correct horse", bcryptHash, "EfatjsUq"} {
				if strings.Contains(b.log.String()+fmt.Sprint(err), secret) {
					t.Errorf("%q stands in log or error", secret)
				}
			}
		})
	}
}

// TestUnknownUserCostsTheSame compares the work, not the time.
func TestUnknownUserCostsTheSame(t *testing.T) {
	tests := map[string]struct {
		text string
		want []passwd.Work
	}{
		"bcrypt": {
			"a:" + bcryptHash + "\nb:" + argonHash + "\nc:" + bcryptLong + "\n",
			[]passwd.Work{{Kind: passwd.Bcrypt, Cost: 4}},
		},
		"argon2id": {
			"a:" + bcryptHash + "\nb:" + argonHash + "\nc:" + argonHash + "\n",
			[]passwd.Work{{Kind: passwd.Argon2id, Memory: 64, Passes: 1, Lanes: 1, Tag: 32}},
		},
		"nobody can log in": {"a:{SHA}x\n", []passwd.Work{{}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, test.text, 0o640)
			if err := b.login(t.Context(), "nobody", "correct horse"); !errors.Is(err, ErrDenied) {
				t.Errorf("Login: %v", err)
			}
			if len(b.work) != 1 || b.work[0] != test.want[0] {
				t.Errorf("work %+v, want %+v", b.work, test.want)
			}
		})
	}
}

func TestFileDown(t *testing.T) {
	tests := map[string]struct {
		spoil func(t *testing.T, b *backend)
		want  string
	}{
		"not there":           {func(t *testing.T, b *backend) { os.Remove(b.path) }, "no such file"},
		"others may write it": {func(t *testing.T, b *backend) { b.write(t, contents, 0o642) }, "others may write it"},
		"a user twice":        {func(t *testing.T, b *backend) { b.write(t, contents+"ann:x\n", 0o640) }, `user "ann"`},
		"too large":           {func(t *testing.T, b *backend) { b.write(t, strings.Repeat("#\n", passwd.MaxFile), 0o640) }, "bytes"},
		"a folder": {func(t *testing.T, b *backend) {
			if err := errors.Join(os.Remove(b.path), os.Mkdir(b.path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"a pipe": {func(t *testing.T, b *backend) {
			if err := errors.Join(os.Remove(b.path), unix.Mkfifo(b.path, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, contents, 0o640)
			if err := b.login(t.Context(), "ann", "correct horse"); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, b)
			for what, err := range map[string]error{
				"Login": b.login(t.Context(), "ann", "correct horse"),
				"Check": b.Check(),
			} {
				var down *DownError
				if !errors.As(err, &down) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: %v, want a DownError with %q", what, err, test.want)
				}
				if errors.Is(err, ErrDenied) {
					t.Errorf("%s: looks like a wrong password", what)
				}
			}
			if err := os.RemoveAll(b.path); err != nil {
				t.Fatal(err)
			}
			b.write(t, contents, 0o640)
			if err := b.login(t.Context(), "ann", "correct horse"); err != nil {
				t.Errorf("Login when it is mended: %v", err)
			}
		})
	}
}

// TestFileChanges edits the file in every way that editors do, between two logins that come
// as near as they can: at no time may an old state be used.
func TestFileChanges(t *testing.T) {
	const with, without = "ann:" + bcryptHash + "\n", "bob:" + bcryptHash + "\n" // of one size
	tests := map[string]func(t *testing.T, b *backend, text string){
		"in place": func(t *testing.T, b *backend, text string) { b.write(t, text, 0o640) },
		"in place, time set back": func(t *testing.T, b *backend, text string) {
			b.write(t, text, 0o640)
			if err := os.Chtimes(b.path, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		},
		"replaced": func(t *testing.T, b *backend, text string) {
			if err := passwd.Edit(t.Context(), b.path, func(f *passwd.File) error {
				now, err := passwd.Parse([]byte(text))
				*f = *now
				return err
			}); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, with, 0o640)
			for range 20 {
				edit(t, b, with)
				if err := b.login(t.Context(), "ann", "correct horse"); err != nil {
					t.Fatalf("added, but: %v", err)
				}
				edit(t, b, without)
				if err := b.login(t.Context(), "ann", "correct horse"); !errors.Is(err, ErrDenied) {
					t.Fatalf("removed, but: %v", err)
				}
			}
		})
	}
}

// TestFileFlood has every worker busy: further logins wait, then are refused, and what is
// hashed at the same time stays bounded.
func TestFileFlood(t *testing.T) { synctest.Test(t, testFileFlood) }

func testFileFlood(t *testing.T) {
	b := newBackend(t, contents, 0o640)
	b.queue = newQueue(2, 3)
	hashing, proceed := make(chan struct{}, 10), make(chan struct{})
	b.verify = func(d passwd.Digest, password string) bool {
		hashing <- struct{}{}
		<-proceed
		return d.Verify(password)
	}
	done := make(chan error, 10)
	for range 2 {
		go func() { done <- b.login(t.Context(), "ann", "correct horse") }()
	}
	<-hashing
	<-hashing
	gone, leave := context.WithCancel(t.Context())
	for range 3 {
		go func() { done <- b.login(gone, "nobody", "wrong") }()
	}
	synctest.Wait()
	var busy *BusyError
	if err := b.login(t.Context(), "ann", "correct horse"); !errors.As(err, &busy) || busy.Retry < 1 {
		t.Errorf("a login too many: %v, want a BusyError", err)
	}
	if err := b.login(t.Context(), "ann", ""); !errors.Is(err, ErrDenied) {
		t.Errorf("a login that needs no work: %v", err)
	}
	leave()
	for range 3 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("one that left: %v", err)
		}
	}
	close(proceed)
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("one that was served: %v", err)
		}
	}
	if len(hashing) != 0 {
		t.Errorf("%d hashes for clients that had left", len(hashing))
	}
}

func TestFileClientLeaves(t *testing.T) {
	b := newBackend(t, contents, 0o640)
	ctx, cancel := context.WithCancel(t.Context())
	b.verify = func(d passwd.Digest, password string) bool {
		cancel()
		return d.Verify(password)
	}
	if err := b.login(ctx, "ann", "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("Login: %v, want no success for nobody", err)
	}
}
