// SPDX-License-Identifier: GPL-2.0-or-later

package metrics

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/site"
)

// What one who scrapes may take.
const (
	headerTime = 5 * time.Second
	writeTime  = 10 * time.Second
	idleTime   = 2 * time.Minute // longer than between two scrapes
	maxHeader  = 8 << 10         // bytes
	maxScrapes = 4               // at the same time
	// maxOpen and maxOpenOfOne bound the connections, in all and from one address.
	maxOpen      = 32
	maxOpenOfOne = 16
)

// Handler answers /metrics, /healthz (the process answers: 200) and /readyz (the helper answers
// too: 200, else 503).
func (m *Metrics) Handler() http.Handler {
	scrape := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes,
		Timeout:             writeTime - time.Second,
		ErrorLog:            slog.NewLogLogger(m.cfg.Log.Handler(), slog.LevelWarn),
		DisableCompression:  true,
	})
	mux := http.NewServeMux()
	mux.Handle("/metrics", scrape)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := m.helper.ask(r.Context()); err != nil {
			say(w, http.StatusServiceUnavailable, "the helper cannot be reached")
			return
		}
		say(w, http.StatusOK, "ready")
	})
	return m.gate(mux)
}

// gate refuses what no monitor sends: other methods, and a browser's request by a name that was
// rebound to this address.
func (m *Metrics) gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := listen.From(r.Context())
		// What is left of a body is never read.
		r.Body = http.MaxBytesReader(w, r.Body, 0)
		switch {
		case !client.Unix && !site.HostAllowed(r, m.cfg.HostAllowed):
			say(w, http.StatusMisdirectedRequest, "this host name is not allowed: use the address, or list the name under hosts")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			say(w, http.StatusMethodNotAllowed, "want GET")
		case r.URL.Path != "/metrics" && r.URL.Path != "/healthz" && r.URL.Path != "/readyz":
			say(w, http.StatusNotFound, "here are /metrics, /healthz and /readyz")
		default:
			listen.RequestRead(r.Context())
			next.ServeHTTP(w, r)
		}
	})
}

func say(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// Server returns a server of Handler, and the gate to put before its listeners.
func (m *Metrics) Server() (*http.Server, *listen.Gate) {
	gate := listen.NewGate(listen.GateConfig{Total: maxOpen, PerAddress: maxOpenOfOne, Log: m.cfg.Log})
	return &http.Server{
		Handler:           m.Handler(),
		ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes:               maxHeader,
		DisableGeneralOptionsHandler: true,
		ConnState:                    gate.ConnState,
		ConnContext:                  listen.ConnContext,
		ErrorLog:                     listen.ErrorLog(m.cfg.Log),
	}, gate
}

// Serve serves on a listener until the server is shut down, which is no error.
func Serve(server *http.Server, gate *listen.Gate, l listen.Listener) error {
	if err := server.Serve(gate.Bind(l)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
