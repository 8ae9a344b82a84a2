// SPDX-License-Identifier: GPL-2.0-or-later

package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/table"
)

// tableMetrics has what was found when the table was read last.
type tableMetrics struct {
	connections, age, size *prometheus.Desc
	reads                  *prometheus.CounterVec
	spent                  prometheus.Histogram

	mu      sync.Mutex // guards the rest
	taken   time.Time  // zero: the table was not read yet
	tallies []table.Tally
	bytes   uint64
}

// Results of a reading.
const (
	readDone   = "ok"
	readFailed = "failed"
)

func newTableMetrics() *tableMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prefix+name, help, labels, nil)
	}
	t := &tableMetrics{
		connections: desc("connections", "Connections in the table that was read last, by family, protocol and state.", "family", "protocol", "state"),
		age:         desc("table_age_seconds", "Time since the reading of that table began. It is read only while somebody looks at it."),
		size:        desc("table_read_bytes", "Length of the kernel's messages in that reading."),
		reads:       prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "table_reads_total", Help: "Readings of the kernel's table by how they ended."}, []string{"result"}),
		spent: prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + "table_read_duration_seconds",
			Help: "How long the readings that succeeded took.", Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}}),
	}
	t.reads.WithLabelValues(readDone)
	t.reads.WithLabelValues(readFailed)
	return t
}

func (t *tableMetrics) read(s *table.Snapshot, err error) {
	if err != nil {
		t.reads.WithLabelValues(readFailed).Inc()
		return
	}
	t.reads.WithLabelValues(readDone).Inc()
	t.spent.Observe(s.Spent().Seconds())
	tallies := s.Summary()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken, t.tallies, t.bytes = s.Taken(), tallies, s.Bytes()
}

// Describe is prometheus.Collector's.
func (t *tableMetrics) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{t.connections, t.age, t.size} {
		all <- d
	}
	t.reads.Describe(all)
	t.spent.Describe(all)
}

// Collect is prometheus.Collector's. Before the first reading nothing is known of connections.
func (t *tableMetrics) Collect(all chan<- prometheus.Metric) {
	t.mu.Lock()
	taken, tallies, bytes := t.taken, t.tallies, t.bytes
	t.mu.Unlock()
	if !taken.IsZero() {
		for _, k := range tallies {
			all <- gauge(t.connections, float64(k.Count), k.Family, k.Protocol, k.State)
		}
		all <- gauge(t.age, time.Since(taken).Seconds())
		all <- gauge(t.size, float64(bytes))
	}
	t.reads.Collect(all)
	t.spent.Collect(all)
}

func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

// gateMetrics has the connections of clients.
type gateMetrics struct {
	counts                          func() listen.Counts
	open, accepted, evicted, refuse *prometheus.Desc
}

func gate(counts func() listen.Counts) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(prefix+name, help, nil, nil) }
	return &gateMetrics{
		counts:   counts,
		open:     desc("client_connections", "Connections of clients that are open."),
		accepted: desc("client_connections_accepted_total", "Connections of clients that got in."),
		evicted:  desc("client_connections_evicted_total", "Connections of clients that were closed to make room for others."),
		refuse:   desc("client_connections_refused_total", "Connections of clients that found no room."),
	}
}

// Describe is prometheus.Collector's.
func (g *gateMetrics) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.open, g.accepted, g.evicted, g.refuse} {
		all <- d
	}
}

// Collect is prometheus.Collector's.
func (g *gateMetrics) Collect(all chan<- prometheus.Metric) {
	c := g.counts()
	counter := func(d *prometheus.Desc, n uint64) {
		all <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	all <- gauge(g.open, float64(c.Open))
	counter(g.accepted, c.Accepted)
	counter(g.evicted, c.Evicted)
	counter(g.refuse, c.Refused)
}
