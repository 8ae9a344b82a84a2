// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

const allKnown = ipc.StatCount | ipc.StatMax | ipc.StatBuckets | ipc.StatAccounting |
	ipc.StatTimestamps | ipc.StatTCPLoose | ipc.StatCPU

func statsReader(t *testing.T) *StatsReader {
	t.Helper()
	r, err := NewStatsReader()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func procValue(t *testing.T, name string) uint32 {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/net/netfilter/" + name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(v)
}

func TestStatsEqualThoseOfTheKernel(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		r := statsReader(t)
		r.Seal() // everything is open by now
		for step, prepare := range []func(){
			func() {},
			func() { fill(t, 300) },
			func() { nstest.Sysctl(t, "nf_conntrack_acct", "1") },
			func() { nstest.Sysctl(t, "nf_conntrack_timestamp", "1") },
			func() { nstest.Sysctl(t, "nf_conntrack_tcp_loose", "0") },
			func() { // a connection that is there already
				nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1", "192.0.2.2:1")})
			},
		} {
			prepare()
			s, err := r.Stats()
			if err != nil || s.Known != allKnown {
				t.Fatalf("step %d: known %#x, %v", step, s.Known, err)
			}
			if s.Count != procValue(t, "nf_conntrack_count") || s.Max != procValue(t, "nf_conntrack_max") ||
				s.Buckets != procValue(t, "nf_conntrack_buckets") || s.Max == 0 || s.Buckets == 0 ||
				s.Accounting != (procValue(t, "nf_conntrack_acct") == 1) ||
				s.Timestamps != (procValue(t, "nf_conntrack_timestamp") == 1) ||
				s.TCPLoose != (procValue(t, "nf_conntrack_tcp_loose") == 1) {
				t.Errorf("step %d: %+v is not what the files say", step, s)
			}
			checkCounters(t, s)
		}
		s, err := r.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if s.Count != 301 || !s.Accounting || !s.Timestamps || s.TCPLoose || s.PerCPU[2] < 301 {
			t.Errorf("after all steps: %+v", s)
		}
	})
}

// checkCounters compares with the counters that ti-mo/conntrack knows.
func checkCounters(t *testing.T, s ipc.Stats) {
	t.Helper()
	c, err := conntrack.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cpus, err := c.Stats()
	if err != nil {
		t.Fatal(err)
	}
	var want [8]uint64
	for _, cpu := range cpus {
		for i, v := range [8]uint32{cpu.Found, cpu.Invalid, cpu.Insert, cpu.InsertFailed, cpu.Drop,
			cpu.EarlyDrop, cpu.Error, cpu.SearchRestart} {
			want[i] += uint64(v)
		}
	}
	if [8]uint64(s.PerCPU[:8]) != want || s.CPUs != uint32(len(cpus)) {
		t.Errorf("%v of %d CPUs, the other reader says %v of %d", s.PerCPU, s.CPUs, want, len(cpus))
	}
}

func TestMissingFilesAreOpenedLaterUntilSealed(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		r := statsReader(t)
		lose := func(i int) {
			unix.Close(r.files[i])
			r.files[i] = -1
		}
		lose(0)
		if s, err := r.Stats(); err != nil || s.Known != allKnown {
			t.Errorf("known %#x, %v", s.Known, err)
		}
		lose(0)
		r.Seal()
		s, err := r.Stats()
		if err == nil || s.Known != allKnown&^ipc.StatCount {
			t.Errorf("known %#x, %v: a file was opened in spite of Seal", s.Known, err)
		}
	})
}

func TestClosedStatsReader(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		r := statsReader(t)
		r.Close()
		r.Close()
		if s, err := r.Stats(); !errors.Is(err, os.ErrClosed) || s.Known != 0 {
			t.Errorf("known %#x, %v", s.Known, err)
		}
	})
}

func TestMalformedCounters(t *testing.T) {
	var sum [ipc.NumCounters]uint64
	for name, b := range map[string][]byte{
		"short": make([]byte, headerSize+nfGenSize-1),
		"cut":   append(make([]byte, headerSize+nfGenSize), 8, 0, 2, 0, 1),
	} {
		if err := addCounters(b, &sum); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A counter that is not of 32 bits is not understood, and not counted.
	if err := addCounters(append(make([]byte, headerSize+nfGenSize), 6, 0, 2, 0, 1, 1, 0, 0), &sum); err != nil || sum != [ipc.NumCounters]uint64{} {
		t.Errorf("counter of two bytes: %v, %v", sum, err)
	}
}
