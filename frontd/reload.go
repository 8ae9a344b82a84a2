// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"fmt"

	"nuconntrack/frontd/config"
)

// ReloadCertificates reads the certificates again, if there are any. If they are no good, the
// former ones stay.
func (s *Server) ReloadCertificates() error {
	if s.certs == nil {
		return nil
	}
	if err := s.certs.Reload(); err != nil {
		return fmt.Errorf("certificates cannot be used, the former ones stay: %w", err)
	}
	return nil
}

// Reload makes another configuration hold, as far as that is possible without a restart; what is
// not is logged, key by key. On an error all stays as it was. What is connected stays connected,
// sessions go on as Service.Set of package service says.
func (s *Server) Reload(next *config.Config) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	now := s.running.Load()
	set, changed, waiting := now.set.Follow(next)
	login := now.backend
	if set.Ways() != now.set.Ways() || set.Auth.LegacySHA != now.set.Auth.LegacySHA {
		var err error
		if login, err = backend(set, s.accounts, s.cfg.Log); err != nil {
			return fmt.Errorf("make the new configuration hold: %w", err)
		}
	}
	s.service.Set(s.serviceConfig(set, login))
	s.gate.SetLimits(set.Connections.Max, set.Connections.MaxPerAddress)
	s.running.Store(&running{set, login, s.handler(set)})
	for _, key := range waiting {
		s.cfg.Log.Warn("a key has changed that needs a restart", "key", key)
	}
	s.cfg.Log.Info("configuration reloaded", "changed", changed, "need_a_restart", len(waiting))
	return nil
}
