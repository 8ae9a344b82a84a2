// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"log/slog"

	"nuconntrack/frontd/auth/passwd"
)

// FileConfig configures a File.
type FileConfig struct {
	// Path of the password file. Package passwd has its format and limits.
	Path string
	// Workers is how many hashes are computed at the same time, Queue how many logins
	// wait for their turn; 0: DefaultWorkers and DefaultQueue.
	Workers, Queue int
	// LegacySHA accepts unsalted SHA-1 hashes, see passwd.ParseLegacy. Each login with one is logged.
	LegacySHA bool
	// Log gets what is wrong with the file, once for each state of the file. nil: nothing is
	// logged.
	Log *slog.Logger
}

// File logs users in by a password file. The file is looked at on each login and read
// again when it has changed. If it cannot be read, or others may write it, nobody is
// let in: an older copy might still hold a user whom the administrator removed.
//
// A login that names no user of the file takes as long as one that does: the password is
// hashed then too, the way most users' are. In a file of several kinds or costs the
// others can be told by their time. To give a file hashes of one kind only mends that.
type File struct {
	source source
	queue  *queue
	log    *slog.Logger
	// verify does the work of a hash; tests count it.
	verify func(d passwd.Digest, password string) bool
}

var _ Backend = (*File)(nil)

// NewFile returns a backend. It does not look at the file: Check does.
func NewFile(cfg FileConfig) *File {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &File{
		source: source{path: cfg.Path, log: log, legacy: cfg.LegacySHA},
		queue:  newQueue(cfg.Workers, cfg.Queue),
		log:    log,
		verify: passwd.Digest.Verify,
	}
}

// Check reads the file as a login does. The error is a *DownError.
func (f *File) Check() error {
	if _, err := f.source.load(); err != nil {
		return &DownError{Backend: "file", Err: err}
	}
	return nil
}

// Login takes a user name and a password.
//
// What no password file can let in is denied before any work: that says nothing about the
// users of this one.
func (f *File) Login(ctx context.Context, req Request) (Identity, error) {
	user, password, err := req.Credentials()
	if err != nil {
		return Identity{}, err
	}
	switch {
	case password == "":
		return Identity{}, denied("empty password")
	case len(password) > passwd.MaxPassword:
		return Identity{}, denied("password too long")
	case passwd.CheckName(user) != nil:
		return Identity{}, denied("no user can have this name")
	}
	leave, err := f.queue.enter(ctx)
	if err != nil {
		return Identity{}, err
	}
	defer leave()

	users, err := f.source.load()
	if err != nil {
		return Identity{}, &DownError{Backend: "file", Err: err}
	}
	if err := f.match(users, user, password, req.ID); err != nil {
		return Identity{}, err
	}
	// The client may have left while its password was hashed: no session for nobody.
	if err := ctx.Err(); err != nil {
		return Identity{}, err
	}
	return Identity{User: user}, nil
}

// match returns nil if the password is that of the user. It hashes once in any case, but
// with a file in which nobody has a hash that is accepted.
func (f *File) match(users *users, user, password, request string) error {
	digest, known := users.digests[user]
	if !known {
		f.verify(users.dummy, password) // for the time it takes
		if users.refused[user] {
			return denied("kind or form of the user's hash not accepted")
		}
		return denied("unknown user")
	}
	if free(digest) && !free(users.dummy) {
		f.verify(users.dummy, password) // for the time it takes
	}
	if !f.verify(digest, password) {
		return denied("wrong password")
	}
	if free(digest) {
		f.log.Warn("login with a SHA-1 hash, which is quick to guess from: run nuctl passwd for this user, "+
			"it replaces the hash", "request", request, "user", user, "file", f.source.path)
	}
	return nil
}
