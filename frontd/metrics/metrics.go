// SPDX-License-Identifier: GPL-2.0-or-later

package metrics

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
)

const (
	prefix = "nuconntrack_"
	// other is the label of what has no label of its own.
	other = "other"
)

// Config says what a Metrics tells of.
type Config struct {
	// Version is that of the program.
	Version string
	// Methods, LoginResults, Actions and Outcomes are the labels that there can be. What is
	// none of them counts as "other".
	Methods, LoginResults, Actions, Outcomes []string
	// Codes are those of faults.
	Codes []int
	// Stats asks the helper about the kernel's table.
	Stats func(context.Context) (ipc.Stats, error)
	// Sessions is how many sessions live, Connections what the gate counts.
	Sessions    func() int
	Connections func() listen.Counts
	// HostAllowed says whether a name may stand in the Host header, as in package rpc.
	HostAllowed func(name string) bool
	Log         *slog.Logger
}

// Metrics counts. It is safe for concurrent use.
type Metrics struct {
	cfg      Config
	registry *prometheus.Registry
	helper   *helper
	table    *tableMetrics
	logins   *prometheus.CounterVec
	actions  *prometheus.CounterVec
	faults   *prometheus.CounterVec
	requests *prometheus.HistogramVec
	pages    prometheus.Histogram
}

// New returns a Metrics that has counted nothing.
func New(cfg Config) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	m := &Metrics{
		cfg: cfg, registry: prometheus.NewPedanticRegistry(),
		helper: newHelper(cfg.Stats), table: newTableMetrics(),
		logins:  counter("logins_total", "Logins by how they ended.", "result"),
		actions: counter("actions_total", "Connections that were to be killed or changed, by what became of them.", "action", "outcome"),
		faults:  counter("faults_total", "Calls that were answered with a fault, by its code.", "code"),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "request_duration_seconds", Help: "Time from a call that has come in full to its answer, by method.",
			Buckets: durations(),
		}, []string{"method"}),
		pages: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "page_duration_seconds", Help: "Time that requests of the page took, with what belongs to it.", Buckets: durations(),
		}),
	}
	m.prepare()
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.logins, m.actions, m.faults, m.requests, m.pages, m.table, m.helper, buildInfo(cfg.Version),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + "sessions", Help: "Sessions that live."},
			func() float64 { return float64(cfg.Sessions()) }),
		gate(cfg.Connections),
	)
	return m
}

// prepare makes every series that can be, so that a first event is an increase and not a series
// out of nothing.
func (m *Metrics) prepare() {
	for _, result := range append(slices.Clone(m.cfg.LoginResults), other) {
		m.logins.WithLabelValues(result)
	}
	for _, action := range append(slices.Clone(m.cfg.Actions), other) {
		for _, outcome := range append(slices.Clone(m.cfg.Outcomes), other) {
			if action != other || outcome == other {
				m.actions.WithLabelValues(action, outcome)
			}
		}
	}
	for _, method := range append(slices.Clone(m.cfg.Methods), other) {
		m.requests.WithLabelValues(method)
	}
	for _, code := range m.cfg.Codes {
		m.faults.WithLabelValues(strconv.Itoa(code))
	}
	m.faults.WithLabelValues(other)
}

// durations are the bounds of buckets, seconds.
func durations() []float64 { return []float64{.001, .005, .025, .1, .25, 1, 2.5, 10, 60} }

// Paged counts a request of the page.
func (m *Metrics) Paged(took time.Duration) { m.pages.Observe(took.Seconds()) }

// label returns word if it is one of known.
func label(word string, known []string) string {
	if slices.Contains(known, word) {
		return word
	}
	return other
}

// Login counts a login.
func (m *Metrics) Login(result string) {
	m.logins.WithLabelValues(label(result, m.cfg.LoginResults)).Inc()
}

// Acted counts what became of n connections.
func (m *Metrics) Acted(action, outcome string, n int) {
	action, outcome = label(action, m.cfg.Actions), label(outcome, m.cfg.Outcomes)
	if action == other {
		outcome = other
	}
	m.actions.WithLabelValues(action, outcome).Add(float64(n))
}

// Read counts a reading of the table.
func (m *Metrics) Read(s *table.Snapshot, err error) { m.table.read(s, err) }

// Called counts a call. code is that of the fault, 0 for none.
func (m *Metrics) Called(method string, code int, took time.Duration) {
	m.requests.WithLabelValues(label(method, m.cfg.Methods)).Observe(took.Seconds())
	switch {
	case code == 0:
	case slices.Contains(m.cfg.Codes, code):
		m.faults.WithLabelValues(strconv.Itoa(code)).Inc()
	default:
		m.faults.WithLabelValues(other).Inc()
	}
}

func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "build_info", Help: "What the program was built as; always 1."},
		[]string{"version", "goversion"})
	g.WithLabelValues(version, runtime.Version()).Set(1)
	return g
}
