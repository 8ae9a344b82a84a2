// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

// Limits of a file and of what goes in.
const (
	// MaxFile is the size of a password file, in bytes.
	MaxFile = 1 << 20
	// MaxUsers is the number of users in a file.
	MaxUsers = 10000
	// MaxLines is the number of lines, comments and blank ones included.
	MaxLines = 40000
	// MaxName is the length of a user name, in bytes.
	MaxName = 63
	// MaxPassword is the length of a password, in bytes. Longer ones are denied
	// without any work.
	MaxPassword = 1024
	// MaxBcryptPassword is how much of a password bcrypt reads, in bytes. It would
	// ignore the rest, so that longer ones are refused instead.
	MaxBcryptPassword = 72
)

// Bounds on the work that one hash may ask for. Without them a line of a file, by
// mistake or intent, would stop the daemon at the first login: bcrypt's highest cost takes
// days, argon2's largest memory is 4 TiB.
const (
	minBcryptCost = 4
	// maxBcryptCost takes about two seconds on a machine of today.
	maxBcryptCost = 15

	// maxArgonMemory is 128 MiB in KiB: twice RFC 9106's second recommendation.
	maxArgonMemory = 128 << 10
	maxArgonPasses = 64
	maxArgonLanes  = 16
	// maxArgonWork bounds memory × passes, in KiB: about a second.
	maxArgonWork = 1 << 20

	// minArgonSalt is RFC 9106's lower bound (section 3.1), the others are ours.
	minArgonSalt, maxArgonSalt = 8, 64
	minArgonTag, maxArgonTag   = 16, 64
)

// What Hash makes. Firewalls have small processors, and every wrong password that a
// stranger sends costs as much as a right one: these are the OWASP Password Storage
// Cheat Sheet's lower recommendations rather than more. RFC 9106's second recommendation
// (64 MiB, 3 passes, 4 lanes) is read, but 64 MiB a login is more than all
// the rest of the daemon needs.
const (
	// BcryptCost is log2 of the rounds.
	BcryptCost = 10
	// ArgonMemory is in KiB.
	ArgonMemory = 19 << 10
	ArgonPasses = 2
	ArgonLanes  = 1
	// ArgonSalt and ArgonTag are in bytes, as RFC 9106 recommends (section 4).
	ArgonSalt = 16
	ArgonTag  = 32
)
