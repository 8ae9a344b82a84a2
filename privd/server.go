// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/privd/audit"
)

// Config configures a Server. What is not said to have a zero value must be given.
type Config struct {
	Listener *net.UnixListener // of type SOCK_SEQPACKET; Run closes it
	PeerUID  uint32            // the one user who is served
	Rules    *policy.Rules     // nil: policy.None
	Audit    audit.Sink
	Table    Table
	Reader   Reader
	IdleExit time.Duration // Run ends when no connection was open for so long; 0: never
	Limits   Limits
	Log      *slog.Logger
}

// Server serves one user on one socket.
type Server struct {
	cfg      Config
	limits   Limits
	overflow uint32
	warnings *warnings

	rules  atomic.Pointer[policy.Rules]
	bucket *policy.Bucket
	pacer  *policy.Pacer
	turn   chan struct{} // holds one token while a dump has its turn

	// acting is held by the one kill or change that is under way, so that what one reads
	// as the old value is not changed by another before it acts.
	acting sync.Mutex

	conns sync.WaitGroup
	mu    sync.Mutex // guards open, and with it the listener's deadline
	open  int
}

// New makes a server. It fails if the user to serve is the one that the kernel shows for
// everybody whom it cannot name.
func New(cfg Config) (*Server, error) {
	overflow, err := OverflowUID()
	if err != nil {
		return nil, err
	}
	if cfg.PeerUID == overflow {
		return nil, fmt.Errorf("serve uid %d: it stands for every user who is unknown here", overflow)
	}
	if cfg.Rules == nil {
		cfg.Rules = policy.None()
	}
	limits := cfg.Rules.Limits()
	s := &Server{
		cfg:      cfg,
		limits:   cfg.Limits.withDefaults(),
		overflow: overflow,
		warnings: newWarnings(cfg.Log),
		bucket:   policy.NewBucket(limits.Rate, limits.Burst, time.Now()),
		pacer:    policy.NewPacer(limits.Duty),
		turn:     make(chan struct{}, 1),
	}
	s.rules.Store(cfg.Rules)
	return s, nil
}

// SetRules replaces the policy, for all that has not been decided yet.
func (s *Server) SetRules(rules *policy.Rules) {
	limits := rules.Limits()
	s.rules.Store(rules)
	s.bucket.Set(limits.Rate, limits.Burst)
	s.pacer.Set(limits.Duty)
}

// Run serves until ctx ends or nobody was connected for Config.IdleExit; neither is an
// error. It is called once. When it returns all connections are closed.
func (s *Server) Run(ctx context.Context) error {
	defer s.conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.cfg.Listener.Close()
	stop := context.AfterFunc(ctx, func() { s.cfg.Listener.Close() })
	defer stop()

	s.count(0)
	for {
		raw, err := s.cfg.Listener.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if raw != nil {
				raw.Close()
			}
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			// Only this goroutine opens connections: none can come between.
			if s.count(0) == 0 {
				return nil
			}
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept connection: %w", err)
		case err != nil:
			s.warnings.warn("accept failed", "error", err)
			pause(ctx, acceptPause)
		default:
			s.receive(ctx, raw)
		}
	}
}

// receive looks who it is before a byte is read, and turns away whoever is not served.
func (s *Server) receive(ctx context.Context, raw *net.UnixConn) {
	wire, err := ipc.NewServerConn(raw)
	if err != nil {
		raw.Close()
		s.warnings.warn("connection closed", "error", err)
		return
	}
	peer := wire.Peer()
	if peer.UID != s.cfg.PeerUID || peer.UID == s.overflow {
		wire.Close()
		s.warnings.warn("connection closed: not the user that is served", "uid", peer.UID, "pid", peer.PID)
		return
	}
	if s.count(+1) > s.limits.Connections {
		s.count(-1)
		wire.Close()
		s.warnings.warn("connection closed: too many are open", "limit", s.limits.Connections, "pid", peer.PID)
		return
	}
	c := &conn{server: s, raw: raw, wire: wire}
	s.conns.Go(func() {
		defer s.count(-1)
		err := c.serve(ctx)
		s.report(peer, c.state(), err)
	})
}

// count counts connections and starts the clock of IdleExit when there is none.
func (s *Server) count(change int) (open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += change
	if s.cfg.IdleExit > 0 && (s.open == 0 || change > 0) {
		var deadline time.Time
		if s.open == 0 {
			deadline = time.Now().Add(s.cfg.IdleExit)
		}
		// It fails when the listener is closed, and Run is about to end.
		_ = s.cfg.Listener.SetDeadline(deadline)
	}
	return s.open
}

// OverflowUID is the user id that stands for all that have none in this user namespace.
func OverflowUID() (uint32, error) {
	b, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err != nil {
		return 0, fmt.Errorf("read overflow uid: %w", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("read overflow uid: %w", err)
	}
	return uint32(n), nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
