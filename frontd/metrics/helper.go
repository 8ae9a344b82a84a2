// SPDX-License-Identifier: GPL-2.0-or-later

package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"nuconntrack/ipc"
)

const (
	// askTime is how long the helper may take to answer who asks for a scrape.
	askTime = 2 * time.Second
	// askEvery is how long an answer is good, a bad one too: the helper is asked no more often,
	// however many scrape and look whether we are ready.
	askEvery = 5 * time.Second
)

// helper asks the helper, for all who want to know, one at a time.
type helper struct {
	stats         func(context.Context) (ipc.Stats, error)
	up, full, max *prometheus.Desc

	turn  chan struct{} // holds one token while somebody asks or looks; it guards the rest
	asked time.Time     // when the last answer came
	last  ipc.Stats
	err   error
}

func newHelper(stats func(context.Context) (ipc.Stats, error)) *helper {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(prefix+name, help, nil, nil) }
	return &helper{
		stats: stats, turn: make(chan struct{}, 1),
		up:   desc("helper_up", "Whether the helper answers: 1 or 0."),
		full: desc("kernel_connections", "Connections in the kernel's table now."),
		max:  desc("kernel_connections_limit", "How many connections the kernel's table can have (nf_conntrack_max)."),
	}
}

// ask returns what the helper said within askEvery. It takes no longer than askTime.
//
// Whoever asked and leaves does not take the question back: those who ask and leave, over and
// over, would have the helper asked each time.
func (h *helper) ask(ctx context.Context) (ipc.Stats, error) {
	question, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return ipc.Stats{}, ctx.Err()
	case <-question.Done():
		return ipc.Stats{}, question.Err()
	}
	if !h.asked.IsZero() && time.Since(h.asked) < askEvery {
		return h.last, h.err
	}
	last, err := h.stats(question)
	h.asked, h.last, h.err = time.Now(), last, err
	return last, err
}

// Describe is prometheus.Collector's.
func (h *helper) Describe(all chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{h.up, h.full, h.max} {
		all <- d
	}
}

// Collect is prometheus.Collector's. What is not known is left out.
func (h *helper) Collect(all chan<- prometheus.Metric) {
	st, err := h.ask(context.Background())
	if err != nil {
		all <- gauge(h.up, 0)
		return
	}
	all <- gauge(h.up, 1)
	if st.Known&ipc.StatCount != 0 {
		all <- gauge(h.full, float64(st.Count))
	}
	if st.Known&ipc.StatMax != 0 {
		all <- gauge(h.max, float64(st.Max))
	}
}
