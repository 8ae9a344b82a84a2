// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestIDs(t *testing.T) {
	s := New(Config[int]{PerUser: 20000, Max: 20000, Timeout: time.Hour})
	form := regexp.MustCompile(`^[b-df-hj-np-t]{64}$`)
	seen := make(map[string]bool)
	used := make(map[rune]bool)
	for range 10000 {
		id := create(t, s, "ann")
		if !form.MatchString(id) {
			t.Fatalf("id %q is not of the form", id)
		}
		if seen[id] {
			t.Fatalf("id %q twice", id)
		}
		seen[id] = true
		for _, r := range id {
			used[r] = true
		}
	}
	if len(used) != len(alphabet) {
		t.Errorf("%d letters used, want %d", len(used), len(alphabet))
	}
	for id := range seen {
		if !s.Peek(id) {
			t.Fatal("a session is not found by its id")
		}
	}
}

func TestForeignIDs(t *testing.T) {
	s := New(Config[int]{Timeout: time.Hour})
	id := create(t, s, "ann")
	key, _ := digestOf(id)
	tests := map[string]string{
		"empty":             "",
		"none such":         newID(),
		"its prefix":        id[:idLetters-1],
		"longer":            id + "b",
		"upper case":        strings.ToUpper(id),
		"trailing newline":  id + "\n",
		"spaces around":     " " + id + " ",
		"its digest":        string(key[:]),
		"digest in hex":     fmt.Sprintf("%x", key),
		"megabytes":         strings.Repeat("b", 4<<20),
		"one letter is off": id[:idLetters-1] + string(alphabet[(strings.IndexByte(alphabet, id[idLetters-1])+1)%16]),
	}
	for name, wrong := range tests {
		t.Run(name, func(t *testing.T) {
			wantGone(t, s, wrong)
			if s.End(wrong) {
				t.Error("End: true")
			}
		})
	}
	if !s.Peek(id) {
		t.Error("the session did not survive")
	}
}

func TestNothingPrintsTheID(t *testing.T) {
	s := New(Config[int]{})
	id, sess, err := s.Create(Login{User: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	if dump := fmt.Sprintf("%+v %+v %#v", s, sess, s.live); strings.Contains(dump, id) {
		t.Error("the id stands in a dump of the store")
	}
}
