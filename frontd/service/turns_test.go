// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		end, err := all.take(t.Context(), "ann")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan func())
		go func() {
			second, err := all.take(t.Context(), "ann")
			if err != nil {
				t.Error(err)
			}
			got <- second
		}()
		synctest.Wait()
		select {
		case <-got:
			t.Error("one user has two turns")
		default:
		}
		if other, err := all.take(t.Context(), "bob"); err != nil {
			t.Error(err)
		} else {
			other() // a user waits for nobody else
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := all.take(gone, "ann"); !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
		end()
		(<-got)()
		if len(all.of) != 0 {
			t.Errorf("%d users remembered", len(all.of))
		}
	})
}

// TestGroupsTakeTurns: a call that waits for the user's turn has no table in its hands, and one
// that is left by its client goes.
func TestGroupsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &helpertest.Helper{}
		h.Add(helpertest.Port(6, 1, "192.0.2.1:1", "192.0.2.2:2"))
		s := New(Config{
			Helper: h, Backend: auth.None{}, RoleOf: func(string) string { return "admin" }, Log: slog.New(slog.DiscardHandler),
			Meaning: table.NewMeaning(0, nil, []table.Class{{Name: "a", Value: 1, Mask: 1}}),
		})
		id, err := s.Login(t.Context(), auth.Request{}, Caller{})
		if err != nil {
			t.Fatal(err)
		}
		call, err := s.Begin(id, Caller{})
		if err != nil {
			t.Fatal(err)
		}
		defer call.End()
		for name, ask := range map[string]func(context.Context) error{
			"groups": func(ctx context.Context) error {
				_, err := call.Groups(ctx, GroupRequest{By: "proto", Length: 1})
				return err
			},
			"classes": func(ctx context.Context) error {
				_, err := call.Classes(ctx)
				return err
			},
		} {
			before := h.Dumps()
			end, err := s.grouping.take(t.Context(), call.User())
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			call.Refresh() // the next look reads the table
			ctx, leave := context.WithCancel(t.Context())
			waiting, leaving := make(chan error, 1), make(chan error, 1)
			go func() { waiting <- ask(t.Context()) }()
			go func() { leaving <- ask(ctx) }()
			synctest.Wait()
			if h.Dumps() != before {
				t.Errorf("%s: a call that waits has read the table", name)
			}
			leave()
			if err := <-leaving; code(err) != CodeInternal {
				t.Errorf("%s: who left while he waited: %v", name, err)
			}
			end()
			if err := <-waiting; err != nil || h.Dumps() == before {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(s.grouping.of) != 0 {
			t.Errorf("%d turns are left", len(s.grouping.of))
		}
	})
}
