// SPDX-License-Identifier: GPL-2.0-or-later

// Package chart draws how fast something went over the last minutes, as the data of an SVG path.
// It knows nothing of connections, and of HTML only how a path is written.
package chart

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Limits of what is remembered.
const (
	// Window is how far back a series reaches.
	Window = 10 * time.Minute
	// maxPoints bounds one series: more often than each second there is no new table.
	maxPoints = 600
	// maxSeries bounds the series of one History. The one that is looked at least recently goes.
	maxSeries = 4
	// gap is the longest time between two points that a line is drawn across.
	gap = 30 * time.Second
	// leastSpan is the time across the whole width as long as there is less to show.
	leastSpan = time.Minute
)

// Width and Height are the size of a drawing in its own units.
const (
	Width  = 600
	Height = 100
)

// A Point is what was measured at one time.
type Point struct {
	At    time.Time
	Value uint64
}

// History remembers series by name. The zero value is empty; it is safe for concurrent use.
type History struct {
	mu     sync.Mutex
	series []*series // from the least recently used
}

type series struct {
	name   string
	points []Point   // from old to new
	asked  time.Time // the last time that was needed
}

// Needs reports whether a series could do with a point of this time: once, and only if it is later
// than all that it was asked about before.
func (h *History) Needs(name string, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.take(name)
	if !s.asked.IsZero() && !s.asked.Before(at) {
		return false
	}
	s.asked = at
	return true
}

// Add puts a point at the end of a series. One that is not newer than the last is left out.
func (h *History) Add(name string, p Point) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.take(name)
	if n := len(s.points); n > 0 && !s.points[n-1].At.Before(p.At) {
		return
	}
	s.points = append(s.points, p)
	first := 0
	for first < len(s.points)-maxPoints || p.At.Sub(s.points[first].At) > Window {
		first++
	}
	s.points = append(s.points[:0], s.points[first:]...)
}

// Points gives a series, from old to new.
func (h *History) Points(name string) []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Point(nil), h.take(name).points...)
}

// take finds a series, or begins it. The lock is held.
func (h *History) take(name string) *series {
	for i, s := range h.series {
		if s.name == name {
			h.series = append(append(h.series[:i:i], h.series[i+1:]...), s)
			return s
		}
	}
	if len(h.series) == maxSeries {
		h.series = append(h.series[:0], h.series[1:]...)
	}
	s := &series{name: name}
	h.series = append(h.series, s)
	return s
}

// A Drawing is a series as a curve, from left to right, within Width and Height.
type Drawing struct {
	Line, Area string // SVG paths; both empty for fewer than two points
	Span       time.Duration
	Last, Peak Point
}

// Draw draws points, which are from old to new, with the last at the right edge.
func Draw(points []Point) Drawing {
	var d Drawing
	if len(points) == 0 {
		return d
	}
	d.Last = points[len(points)-1]
	for _, p := range points {
		if p.Value > d.Peak.Value || d.Peak.At.IsZero() {
			d.Peak = p
		}
	}
	d.Span = max(d.Last.At.Sub(points[0].At), leastSpan)
	if len(points) < 2 {
		return d
	}
	var line, area strings.Builder
	for from := 0; from < len(points); {
		to := from + 1
		for to < len(points) && points[to].At.Sub(points[to-1].At) <= gap {
			to++
		}
		d.stroke(&line, &area, points[from:to])
		from = to
	}
	d.Line, d.Area = line.String(), area.String()
	return d
}

// stroke draws points without a gap between them.
func (d *Drawing) stroke(line, area *strings.Builder, points []Point) {
	x := func(p Point) float64 { return Width * (1 - float64(d.Last.At.Sub(p.At))/float64(d.Span)) }
	y := func(p Point) float64 { return Height * (1 - float64(p.Value)/float64(max(d.Peak.Value, 1))) }
	fmt.Fprintf(area, "M%.1f %d", x(points[0]), Height)
	command := "M"
	for _, p := range points {
		fmt.Fprintf(line, "%s%.1f %.1f", command, x(p), y(p))
		fmt.Fprintf(area, "L%.1f %.1f", x(p), y(p))
		command = "L"
	}
	fmt.Fprintf(area, "L%.1f %dZ", x(points[len(points)-1]), Height)
}
