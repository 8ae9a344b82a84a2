// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"net/http"
	"time"

	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/metrics"
	"nuconntrack/frontd/rpc"
	"nuconntrack/frontd/service"
)

// monitor is what serves metrics, on listeners of their own.
type monitor struct {
	metrics *metrics.Metrics
	http    *http.Server
	gate    *listen.Gate
}

// newMonitor counts and serves, or is nil where there is no listener for it: then nothing is
// counted.
func (s *Server) newMonitor() *monitor {
	wanted := false
	for _, l := range s.cfg.Listeners {
		wanted = wanted || l.Name == listen.Metrics
	}
	if !wanted {
		return nil
	}
	cfg := metrics.Config{
		Version:      s.cfg.Version,
		LoginResults: service.LoginResults(), Actions: service.Actions(), Outcomes: service.Outcomes(),
		Stats:       s.helper.Stats,
		Sessions:    func() int { return s.service.Sessions() },
		Connections: func() listen.Counts { return s.gate.Counts() },
		HostAllowed: func(name string) bool { return s.running.Load().set.HostAllowed(name) },
		Log:         s.cfg.Log,
	}
	for _, m := range rpc.Methods() {
		cfg.Methods = append(cfg.Methods, m.Name)
	}
	for _, f := range rpc.Faults() {
		cfg.Codes = append(cfg.Codes, f.Code)
	}
	m := &monitor{metrics: metrics.New(cfg)}
	m.http, m.gate = m.metrics.Server()
	return m
}

// paged counts a request of the page.
func (m *monitor) paged(began time.Time) {
	if m != nil {
		m.metrics.Paged(time.Since(began))
	}
}

// observer is told what the service does; nil where nothing is counted.
func (m *monitor) observer() service.Observer {
	if m == nil {
		return nil
	}
	return m.metrics
}
