// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"nuconntrack/ipc"

	"golang.org/x/sys/unix"
)

func pointer(v uint32) *uint32 { return &v }

func sample() Entry {
	src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	return Entry{
		Phase: Result, Op: ipc.OpChange, Peer: ipc.Peer{UID: 998, PID: 4242},
		Actor: ipc.Actor{RequestID: 0xabc, User: "alice", Client: "203.0.113.9:1234"},
		Target: ipc.Target{
			Family: ipc.FamilyIPv4, Protocol: unix.IPPROTO_TCP, ID: 77,
			Orig:  ipc.Tuple{Src: src, Dst: dst, Kind: ipc.Ports, SrcPort: 40000, DstPort: 443},
			Reply: ipc.Tuple{Src: dst, Dst: src, Kind: ipc.Ports, SrcPort: 443, DstPort: 40000},
		},
		Field: ipc.FieldMark, Old: pointer(0), New: pointer(16), Outcome: ipc.Changed,
	}
}

func fieldsOf(e Entry) map[string]string {
	var f fields
	f.set(&e)
	m := map[string]string{}
	for _, of := range f.all {
		m[of.key] = string(f.value(of))
	}
	return m
}

func TestFields(t *testing.T) {
	intent := sample()
	intent.Phase, intent.Outcome = Intent, 0
	refused := sample()
	refused.Op, refused.Old, refused.New = ipc.OpKill, nil, nil
	refused.Outcome, refused.Rule = ipc.Protected, "management"
	fixed := sample()
	fixed.Field, fixed.Outcome = ipc.FieldTimeout, ipc.Fixed
	zoned := sample()
	zoned.Target.Orig.Zone = 7
	both := zoned
	both.Target.Reply.Zone = 7
	icmp := sample()
	icmp.Target.Protocol = unix.IPPROTO_ICMP
	icmp.Target.Orig.Kind, icmp.Target.Orig.SrcPort, icmp.Target.Orig.DstPort = ipc.ICMP, 5, 8<<8
	odd := sample()
	odd.Target.Protocol = 200
	odd.Target.Orig.Kind = ipc.NoPorts
	for _, c := range []struct {
		name string
		in   Entry
		want map[string]string // empty: must not be there
	}{
		{"change", sample(), map[string]string{
			"MESSAGE_ID": MessageID, "PRIORITY": "5", "SYSLOG_IDENTIFIER": "nuconntrack-privd",
			"NUCT_ACTION": "change", "NUCT_PHASE": "result", "NUCT_REQUEST_ID": "0000000000000abc",
			"NUCT_PEER_UID": "998", "NUCT_PEER_PID": "4242",
			"NUCT_CLAIMED_USER": "alice", "NUCT_CLAIMED_CLIENT": "203.0.113.9:1234", "NUCT_CT_ID": "77",
			"NUCT_ORIG": "tcp src=192.0.2.1 dst=198.51.100.7 sport=40000 dport=443",
			"NUCT_REPL": "tcp src=198.51.100.7 dst=192.0.2.1 sport=443 dport=40000",
			"NUCT_ZONE": "0", "NUCT_FIELD": "mark", "NUCT_OLD": "0", "NUCT_NEW": "16",
			"NUCT_RULE": "", "NUCT_OUTCOME": "changed",
		}},
		{"intent", intent, map[string]string{"NUCT_PHASE": "intent", "NUCT_OUTCOME": "", "PRIORITY": "6"}},
		{"refused kill", refused, map[string]string{"NUCT_ACTION": "kill", "NUCT_FIELD": "", "NUCT_OLD": "", "NUCT_NEW": "",
			"NUCT_RULE": "management", "NUCT_OUTCOME": "protected", "PRIORITY": "4"}},
		{"timeout that is fixed", fixed, map[string]string{"NUCT_FIELD": "timeout", "NUCT_OUTCOME": "failed", "PRIORITY": "4"}},
		{"zone of one direction", zoned, map[string]string{"NUCT_ZONE": "orig=7 repl=0"}},
		{"zone of both directions", both, map[string]string{"NUCT_ZONE": "7"}},
		{"ICMP", icmp, map[string]string{"NUCT_ORIG": "icmp src=192.0.2.1 dst=198.51.100.7 type=8 code=0 id=5"}},
		{"unknown protocol", odd, map[string]string{"NUCT_ORIG": "proto=200 src=192.0.2.1 dst=198.51.100.7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := fieldsOf(c.in)
			for key, want := range c.want {
				if got[key] != want {
					t.Errorf("%s is %q, want %q", key, got[key], want)
				}
			}
			if !strings.Contains(got["MESSAGE"], "src=192.0.2.1") || !strings.Contains(got["MESSAGE"], "alice") {
				t.Errorf("the message says too little: %q", got["MESSAGE"])
			}
		})
	}
}

// TestOutcomes keeps to the words of the outside interface, for programs that match them.
func TestOutcomes(t *testing.T) {
	known := strings.Fields("killed gone replaced protected forbidden ambiguous unknown returned failed changed partial")
	for o := ipc.Killed; o <= ipc.Unaudited; o++ {
		e := sample()
		e.Outcome = o
		got := fieldsOf(e)
		if !slices.Contains(known, got["NUCT_OUTCOME"]) {
			t.Errorf("outcome %q is none of %q", got["NUCT_OUTCOME"], known)
		}
		if !strings.Contains(got["MESSAGE"], ": "+o.String()) {
			t.Errorf("the message does not say %q: %s", o, got["MESSAGE"])
		}
	}
}

// hostile has in every text what would break, hide or turn around a line.
func hostile() Entry {
	bad := "a\nNUCT_OUTCOME=killed\x00\x1b[2J\u202e\u2066\u2028\xff\"\\" + strings.Repeat("\U0001F600", 500)
	e := sample()
	e.Actor.User, e.Actor.Client, e.Rule, e.Detail = bad, bad, bad, bad
	return e
}

func TestHostileTextStaysInItsField(t *testing.T) {
	for key, value := range fieldsOf(hostile()) {
		if len(value) > maxField {
			t.Errorf("%s has %d bytes", key, len(value))
		}
		for _, r := range value {
			if !unicode.IsPrint(r) {
				t.Errorf("%s holds %q", key, r)
			}
		}
	}
}

// TestNameCannotPassForAClient: in the line for people a user whose name reads like the rest of
// the line is still seen to be a name.
func TestNameCannotPassForAClient(t *testing.T) {
	e := sample()
	e.Actor.User, e.Actor.Client = `zoe", client "192.0.2.1`, "198.51.100.9"
	message := fieldsOf(e)["MESSAGE"]
	if want := `, user "zoe\", client \"192.0.2.1", client "198.51.100.9"`; !strings.HasSuffix(message, want) {
		t.Errorf("%s does not end with %s", message, want)
	}
}

func TestLines(t *testing.T) {
	for _, e := range []Entry{sample(), hostile()} {
		var out bytes.Buffer
		if err := NewLines(&out).Write(e); err != nil {
			t.Fatal(err)
		}
		line, rest, ok := strings.Cut(out.String(), "\n")
		if !ok || rest != "" || out.Len() > MaxEntry {
			t.Fatalf("not one line of at most %d bytes: %q", MaxEntry, out.String())
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		for key, want := range fieldsOf(e) {
			if got[key] != want {
				t.Errorf("%s is %q, want %q", key, got[key], want)
			}
		}
		if len(got) != len(fieldsOf(e))+1 || len(got["TIME"]) != len(timeFormat) {
			t.Errorf("fields %v", got)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, unix.EPIPE }

func TestLinesThatCannotBeWritten(t *testing.T) {
	if err := NewLines(broken{}).Write(sample()); !errors.Is(err, unix.EPIPE) {
		t.Errorf("got %v, want that nobody reads", err)
	}
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	journald, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Write(sample()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1<<16)
	n, err := journald.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(b[:n])) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			t.Fatalf("line %q", line)
		}
		got[key] = value
	}
	for key, want := range fieldsOf(sample()) {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}

	t.Run("stuck", func(t *testing.T) {
		for i := 0; ; i++ {
			if err := j.Write(sample()); errors.Is(err, os.ErrDeadlineExceeded) {
				break
			} else if err != nil || i > 100_000 {
				t.Fatalf("entry %d: %v", i, err)
			}
		}
	})
	t.Run("gone", func(t *testing.T) {
		journald.Close()
		if err := j.Write(sample()); err == nil {
			t.Error("written to nobody")
		}
	})
	t.Run("back", func(t *testing.T) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		journald, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer journald.Close()
		if err := j.Write(sample()); err != nil {
			t.Errorf("a journal that is back is not found: %v", err)
		}
	})
}

func TestNative(t *testing.T) {
	f := fields{text: []byte("b=ce\nF=g"), all: []field{{"A", 0, 3}, {"D", 3, 8}}}
	got := appendNative(nil, &f)
	want := "A=b=c\nD\n\x05\x00\x00\x00\x00\x00\x00\x00e\nF=g\n"
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
