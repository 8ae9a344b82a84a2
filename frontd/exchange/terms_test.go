// SPDX-License-Identifier: GPL-2.0-or-later

package exchange

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// clock is a connection that remembers its deadlines.
type clock struct {
	http.ResponseWriter
	read, write time.Time
}

func (c *clock) SetReadDeadline(at time.Time) error  { c.read = at; return nil }
func (c *clock) SetWriteDeadline(at time.Time) error { c.write = at; return nil }

func TestTerms(t *testing.T) {
	for name, test := range map[string]struct {
		terms       Terms
		body, write time.Duration
	}{
		"defaults":    {Terms{}, defaultBodyTimeout, defaultWriteTimeout},
		"configured":  {Terms{BodyTimeout: time.Second, WriteTimeout: time.Minute}, time.Second, time.Minute},
		"one of them": {Terms{WriteTimeout: time.Hour}, defaultBodyTimeout, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			terms := test.terms.WithDefaults()
			terms.Read(nil) // nobody to be told, and no panic
			if terms.HostAllowed("firewall.example") {
				t.Error("a name is allowed that nobody listed")
			}
			c := &clock{ResponseWriter: httptest.NewRecorder()}
			before := time.Now()
			terms.BodyBegins(c)
			if !c.write.IsZero() {
				t.Error("the answer has a deadline already")
			}
			terms.AnswerBegins(c)
			after := time.Now()
			for _, d := range []struct {
				what string
				at   time.Time
				want time.Duration
			}{{"body", c.read, test.body}, {"answer", c.write, test.write}} {
				if d.at.Before(before.Add(d.want)) || d.at.After(after.Add(d.want)) {
					t.Errorf("%s: %v from now, want %v", d.what, d.at.Sub(before), d.want)
				}
			}
			terms.AnswerBegins(httptest.NewRecorder()) // which has no deadlines
		})
	}
}

func TestNumbers(t *testing.T) {
	a, b := NewNumbers(), NewNumbers()
	first := a.Next()
	if next := a.Next(); next != first+1 {
		t.Errorf("%d comes after %d", next, first)
	}
	if b.Next() == first {
		t.Error("two runs begin with the same number")
	}
}
