// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"errors"
	"log/slog"
	"math/bits"
	"net/netip"
	"strings"
	"sync"
	"time"

	"nuconntrack/frontd/auth/passwd"
)

// What a Guard counts and how long it makes guessers wait.
const (
	// freeFailures is how many times somebody may mistype the password of one account from
	// one source; freeOfSource the same for all accounts together, and freeOfAccount for one
	// account from everywhere, before others' failures begin to cost him.
	freeFailures  = 5
	freeOfSource  = 20
	freeOfAccount = 50
	// firstDelay doubles with each further failure, up to maxDelay.
	firstDelay = time.Second
	maxDelay   = time.Minute
	// forgetAfter is how long after the last failure a count is forgotten.
	forgetAfter = 15 * time.Minute
	// rememberFor is how long a source is remembered from which somebody has logged in.
	rememberFor = 24 * time.Hour
	// maxCounted bounds how many sources, accounts, and pairs of the two are remembered. The
	// ones that failed the longest ago are forgotten first.
	maxCounted = 1 << 14
	// atOnce is how many logins of one source are worked on at the same time, inLine how many
	// more wait for that. It is well below DefaultQueue, so that no source fills it.
	atOnce = 8
	inLine = 32

	// ipv6Bits is the part of an IPv6 address that is one source: see package listen.
	ipv6Bits = 64
)

// GuardConfig configures a Guard.
type GuardConfig struct {
	// Backend is what is guarded.
	Backend Backend
	// Log is told when somebody begins to be kept waiting. nil: nothing is logged.
	Log *slog.Logger
}

// A Guard slows down those who guess passwords. After a few failures a source has to wait before
// its next attempt, longer each time, and until then is refused with a *BusyError without being
// heard. A source is an IPv4 address, an IPv6 /64, or a user of this machine.
//
// Failures count for the source with that account, for the source as a whole, and for the
// account as a whole. The last never keep out a source that has not failed at the account: who
// knows the password and is somewhere else gets in, however many guess. They shorten the
// patience with those who have failed at it.
//
// Who has logged in from a source lately is not kept waiting there by what others do, and has
// a worker of the queue kept for him and his like.
//
// Accounts count whether they exist or not, so that waiting says nothing about that.
type Guard struct {
	backend Backend
	log     *slog.Logger

	mu       sync.Mutex // guards the rest
	pairs    *ledger[pair]
	sources  *ledger[origin]
	accounts *ledger[string]
	known    *ledger[pair] // that have logged in
	lines    map[origin]*line
}

var _ Backend = (*Guard)(nil)

// origin is where a login comes from.
type origin struct {
	net  netip.Prefix // the zero Prefix on a Unix socket
	unix bool
	uid  uint32
}

type pair struct {
	from    origin
	account string
}

// NewGuard returns a Guard that has seen no failure.
func NewGuard(cfg GuardConfig) *Guard {
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Guard{
		backend: cfg.Backend, log: log,
		pairs: newLedger[pair](maxCounted, forgetAfter), sources: newLedger[origin](maxCounted, forgetAfter),
		accounts: newLedger[string](maxCounted, forgetAfter), known: newLedger[pair](maxCounted, rememberFor),
		lines: make(map[origin]*line),
	}
}

// Login asks the backend, unless the source has to wait.
func (g *Guard) Login(ctx context.Context, req Request) (Identity, error) {
	who := pair{sourceOf(req), accountOf(req)}
	if g.knows(who) {
		ctx = preferred(ctx)
	}
	if err := g.enter(ctx, who); err != nil {
		return Identity{}, err
	}
	failed := false
	defer func() { g.leave(who, req.ID, failed) }() // whatever the backend does
	id, err := g.backend.Login(ctx, req)
	failed = errors.Is(err, ErrDenied)
	if err == nil {
		g.succeeded(who)
	}
	return id, err
}

func (g *Guard) knows(who pair) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.known.has(who, time.Now())
}

func sourceOf(req Request) origin {
	if req.Client.IsValid() {
		addr := req.Client.Unmap().WithZone("")
		n := addr.BitLen()
		if addr.Is6() {
			n = ipv6Bits
		}
		p, _ := addr.Prefix(n) // the zero Prefix is a source too
		return origin{net: p}
	}
	s := origin{unix: req.Unix}
	if req.Peer != nil {
		s.uid = req.Peer.UID
	}
	return s
}

// accountOf is the account that somebody claims to be. Names that no account has are one.
func accountOf(req Request) string {
	if len(req.Args) > 0 {
		if name, ok := req.Args[0].(string); ok && passwd.CheckName(name) == nil {
			return strings.ToLower(name) // LDAP does not tell cases apart
		}
	}
	return ""
}

// enter waits for a turn of the source. After nil the caller must leave.
func (g *Guard) enter(ctx context.Context, who pair) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if err := g.waitLocked(who); err != nil {
		g.mu.Unlock()
		return err
	}
	l := g.lines[who.from]
	if l == nil {
		l = &line{}
		g.lines[who.from] = l
	}
	turn, ok := l.join()
	g.mu.Unlock()
	if !ok {
		return &BusyError{Retry: 1}
	}
	if turn == nil {
		return nil
	}
	select {
	case <-turn:
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		if !l.giveUp(turn) { // it came to be its turn
			g.passLocked(who.from)
		}
		return ctx.Err()
	}
	// Those before it may have failed.
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.waitLocked(who)
	if err != nil {
		g.passLocked(who.from)
	}
	return err
}

// waitLocked returns a *BusyError while somebody has to wait.
func (g *Guard) waitLocked(who pair) error {
	now := time.Now()
	wait := g.pairs.until(who, now)
	if !g.known.has(who, now) {
		wait = max(wait, g.sources.until(who.from, now))
	}
	if wait <= 0 {
		return nil
	}
	return &BusyError{Retry: int((wait + time.Second - 1) / time.Second), Failed: true}
}

// leave counts a failure and lets the next of the source go on.
func (g *Guard) leave(who pair, request string, failed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if failed {
		g.failedLocked(who, request)
	}
	g.passLocked(who.from)
}

// passLocked ends one turn of a source.
func (g *Guard) passLocked(from origin) {
	if g.lines[from].leave() {
		delete(g.lines, from)
	}
}

func (g *Guard) failedLocked(who pair, request string) {
	now := time.Now()
	everywhere := g.accounts.add(who.account, now)
	extra := 0
	if everywhere.count >= freeOfAccount && who.account != "" {
		extra = freeFailures - 2 + bits.Len(uint(everywhere.count/freeOfAccount))
	}
	one := g.pairs.add(who, now)
	one.delay(now, one.count+extra-freeFailures)
	all := g.sources.add(who.from, now)
	all.delay(now, all.count-freeOfSource)
	if one.count == freeFailures || all.count == freeOfSource {
		g.log.Warn("many failed logins: their source is kept waiting", "request", request, "user", who.account,
			"client", who.from.String(), "failed_for_user", one.count, "failed_in_all", all.count)
	}
}

// succeeded forgets the failures of a source with an account. Those of the source stay, else an
// account of one's own would pay for guessing at others.
func (g *Guard) succeeded(who pair) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pairs.forget(who)
	g.known.add(who, time.Now())
}

func (s origin) String() string {
	switch {
	case s.unix:
		return "unix"
	case s.net.IsSingleIP():
		return s.net.Addr().String()
	}
	return s.net.String()
}
