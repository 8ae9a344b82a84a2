// SPDX-License-Identifier: GPL-2.0-or-later

package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// maxFile bounds each file, bytes.
	maxFile = 1 << 20
	// lookEvery is the shortest time between two looks at the files for handshakes.
	lookEvery = time.Second
)

// Config configures a Store.
type Config struct {
	// Cert and Key are files in PEM, the certificate with those that lead from it to the root.
	Cert, Key string
	// ClientCA has certificates of authorities in PEM. If it is not "", clients must have a
	// certificate of one of them.
	ClientCA string
	// MinVersion is tls.VersionTLS12 or tls.VersionTLS13.
	MinVersion uint16
	// Log is told of what was read again, and of what could not be used. nil: nobody is.
	Log *slog.Logger
}

// A Store has the certificates. It is safe for concurrent use.
type Store struct {
	cfg Config
	log *slog.Logger

	mu     sync.Mutex // guards the rest, and keeps reading to one handshake at a time
	now    *tls.Config
	seen   [3]mark // of the files when they were last read, whatever came of it
	looked time.Time
}

// mark tells one state of a file from the next.
type mark struct {
	size  int64
	mtime time.Time
	err   string
}

// Open reads the files, all of which must be good.
func Open(cfg Config) (*Store, error) {
	s := &Store{cfg: cfg, log: cfg.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.seen = s.marks()
	var err error
	if s.now, err = s.load(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(cfg.Key); err == nil && info.Mode()&othersRead != 0 {
		s.log.Warn("the key can be read by others", "file", cfg.Key, "mode", fmt.Sprintf("%#o", info.Mode().Perm()))
	}
	s.looked = time.Now()
	return s, nil
}

const othersRead fs.FileMode = 0o004

// TLS returns what a listener needs. Each handshake gets what the files have then.
func (s *Store) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:         s.cfg.MinVersion,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.current(), nil },
	}
}

// Reload reads the files, whether they seem to have changed or not. If they are no good, what
// was there before stays.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reloadLocked(s.marks())
}

// current is what a handshake uses. Now and then it looks at the files first.
func (s *Store) current() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.looked) < lookEvery {
		return s.now
	}
	s.looked = time.Now()
	if marks := s.marks(); marks != s.seen {
		if err := s.reloadLocked(marks); err != nil {
			s.log.Warn("certificates have changed and cannot be used: the former ones stay", "error", err)
		}
	}
	return s.now
}

func (s *Store) reloadLocked(marks [3]mark) error {
	s.seen = marks
	loaded, err := s.load()
	if err != nil {
		return err
	}
	s.now = loaded
	leaf := loaded.Certificates[0].Leaf
	s.log.Info("certificates reloaded", "subject", leaf.Subject.String(), "until", leaf.NotAfter)
	return nil
}

func (s *Store) marks() (all [3]mark) {
	for i, path := range []string{s.cfg.Cert, s.cfg.Key, s.cfg.ClientCA} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			all[i].err = err.Error()
			continue
		}
		all[i] = mark{size: info.Size(), mtime: info.ModTime()}
	}
	return all
}

// load reads the files and makes a configuration of them, which nobody changes.
func (s *Store) load() (*tls.Config, error) {
	cert, err := read(s.cfg.Cert)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	key, err := read(s.cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("certificate %q with key %q: %w", s.cfg.Cert, s.cfg.Key, err)
	}
	cfg := &tls.Config{
		MinVersion:   s.cfg.MinVersion,
		Certificates: []tls.Certificate{pair},
		NextProtos:   []string{"http/1.1"},
		// A session that is taken up again would skip the look at the client's certificate.
		SessionTicketsDisabled: true,
	}
	if s.cfg.ClientCA == "" {
		return cfg, nil
	}
	authorities, err := read(s.cfg.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("read client authorities: %w", err)
	}
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !cfg.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("no certificate in %q", s.cfg.ClientCA)
	}
	return cfg, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("larger than 1 MiB")
	}
	return data, err
}
