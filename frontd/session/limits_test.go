// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSetLimits: new limits hold for who comes, and nobody who is in is thrown out but by a
// lifetime that is over.
func TestSetLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config[int]{Timeout: time.Hour, Lifetime: 10 * time.Hour, PerUser: 3, Max: 3})
		var ids []string
		for range 3 {
			id, _, err := s.Create(Login{User: "ann"})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		s.SetLimits(Limits{Timeout: time.Minute, Lifetime: 10 * time.Hour, PerUser: 1, Max: 1})
		if s.Len() != 3 {
			t.Errorf("%d sessions live, 3 did", s.Len())
		}
		var limit *LimitError
		if _, _, err := s.Create(Login{User: "ann"}); !errors.As(err, &limit) || limit.Limit != 1 {
			t.Errorf("a fourth session: %v", err)
		}
		time.Sleep(2 * time.Minute) // the former timeout counts until the next call
		_, release, err := s.Acquire(ids[0])
		if err != nil {
			t.Fatalf("before its next call: %v", err)
		}
		release()
		time.Sleep(2 * time.Minute)
		if s.Peek(ids[0]) || !s.Peek(ids[1]) {
			t.Errorf("after its next call: %t, without: %t", s.Peek(ids[0]), s.Peek(ids[1]))
		}
		s.SetLimits(Limits{Timeout: time.Minute, Lifetime: 3 * time.Minute})
		if s.Peek(ids[1]) {
			t.Error("a session lives beyond the new lifetime")
		}
		if _, _, err := s.Create(Login{User: "ann"}); err != nil {
			t.Errorf("with the default limits: %v", err)
		}
	})
}
