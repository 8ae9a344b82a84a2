// SPDX-License-Identifier: GPL-2.0-or-later

package chart

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func at(seconds int) time.Time {
	return time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func TestHistoryIsBounded(t *testing.T) {
	var h History
	for i := range 5000 {
		h.Add("all", Point{at(i), uint64(i)})
	}
	points := h.Points("all")
	if len(points) != maxPoints || points[len(points)-1].Value != 4999 {
		t.Errorf("%d points, the last %v", len(points), points[len(points)-1])
	}
	h.Add("all", Point{at(5000 + int(Window/time.Second)), 1})
	if n := len(h.Points("all")); n != 1 {
		t.Errorf("%d points of which all but one are too old", n)
	}
	for i := range 100 {
		h.Add(fmt.Sprint("filter ", i), Point{at(i), 1})
	}
	if len(h.series) != maxSeries {
		t.Errorf("%d series", len(h.series))
	}
	if len(h.Points("all")) != 0 || len(h.Points("filter 99")) != 1 {
		t.Error("not the series that was used least recently went")
	}
}

func TestHistoryTakesEachTimeOnce(t *testing.T) {
	var h History
	if !h.Needs("a", at(2)) {
		t.Error("an empty series needs nothing")
	}
	h.Add("a", Point{at(2), 7})
	h.Add("a", Point{at(2), 8})
	h.Add("a", Point{at(1), 9})
	if points := h.Points("a"); len(points) != 1 || points[0].Value != 7 {
		t.Errorf("%v", points)
	}
	if h.Needs("a", at(2)) || h.Needs("a", at(1)) || !h.Needs("a", at(3)) || h.Needs("a", at(3)) || !h.Needs("b", at(2)) {
		t.Error("needs what it has, or not what it lacks")
	}
}

func TestDraw(t *testing.T) {
	tests := map[string]struct {
		points []Point
		line   string
	}{
		"nothing":   {nil, ""},
		"one point": {[]Point{{at(0), 5}}, ""},
		"a minute":  {[]Point{{at(0), 0}, {at(30), 10}, {at(60), 5}}, "M0.0 100.0L300.0 0.0L600.0 50.0"},
		"all zero":  {[]Point{{at(0), 0}, {at(30), 0}}, "M300.0 100.0L600.0 100.0"},
		"a gap":     {[]Point{{at(0), 1}, {at(60), 1}}, "M0.0 0.0M600.0 0.0"},
		"the most":  {[]Point{{at(0), 1<<64 - 1}, {at(30), 0}}, "M300.0 0.0L600.0 100.0"},
	}
	for name, test := range tests {
		d := Draw(test.points)
		if d.Line != test.line {
			t.Errorf("%s: %s, want %s", name, d.Line, test.line)
		}
		if strings.Count(d.Area, "Z") != strings.Count(d.Line, "M") {
			t.Errorf("%s: the area is %s", name, d.Area)
		}
	}
	d := Draw([]Point{{at(0), 3}, {at(10), 9}, {at(20), 9}, {at(30), 2}})
	if d.Peak.At != at(10) || d.Last.Value != 2 || d.Span != leastSpan {
		t.Errorf("%+v", d)
	}
}
