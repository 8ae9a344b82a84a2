// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"nuconntrack/ipc"

	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

const (
	sysctlFolder = "/proc/sys/net/netfilter/"
	// sysctlSize is more than a number of 32 bits with its newline takes.
	sysctlSize = 16
)

// counters are the attributes of enum ctattr_stats_cpu in the order of ipc.CounterNames.
var counters = [ipc.NumCounters]uint16{2, 4, 8, 9, 10, 11, 12, 13, 14, 15}

// A StatsReader reads what the kernel says about its table. It is safe for concurrent use.
type StatsReader struct {
	mu     sync.Mutex // guards all
	sock   *socket
	files  [len(sysctls)]int // descriptors, -1 for a file that is not open
	sealed bool
}

// A sysctl is a file of sysctlFolder and where its number goes.
type sysctl struct {
	name  string
	known uint32 // bit of ipc.Stats.Known
	set   func(*ipc.Stats, uint32)
}

var sysctls = [...]sysctl{
	{"nf_conntrack_count", ipc.StatCount, func(s *ipc.Stats, v uint32) { s.Count = v }},
	{"nf_conntrack_max", ipc.StatMax, func(s *ipc.Stats, v uint32) { s.Max = v }},
	{"nf_conntrack_buckets", ipc.StatBuckets, func(s *ipc.Stats, v uint32) { s.Buckets = v }},
	{"nf_conntrack_acct", ipc.StatAccounting, func(s *ipc.Stats, v uint32) { s.Accounting = v != 0 }},
	{"nf_conntrack_timestamp", ipc.StatTimestamps, func(s *ipc.Stats, v uint32) { s.Timestamps = v != 0 }},
	{"nf_conntrack_tcp_loose", ipc.StatTCPLoose, func(s *ipc.Stats, v uint32) { s.TCPLoose = v != 0 }},
}

// NewStatsReader opens the socket and those files that are there, in the network
// namespace of the calling thread. The kernel module of conntrack may not be loaded yet.
func NewStatsReader() (*StatsReader, error) {
	sock, err := openSocket(dumpSize)
	if err != nil {
		return nil, err
	}
	r := &StatsReader{sock: sock}
	for i := range r.files {
		r.files[i] = -1
	}
	// The request loads the module, and with it come the files.
	_, _ = r.Stats()
	return r, nil
}

// Seal says that no file may be opened any more, by a process whose sandbox would kill
// it. What is not open then stays unknown.
func (r *StatsReader) Seal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = true
}

// Close ends the StatsReader. It may be called twice.
func (r *StatsReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sock.close()
	r.sealed = true
	for i, fd := range r.files {
		if fd >= 0 {
			unix.Close(fd)
		}
		r.files[i] = -1
	}
	return nil
}

// Stats reads all values. Those that could not be read are not in Known, and the error
// says why; the others are good all the same.
func (r *StatsReader) Stats() (ipc.Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := ipc.Stats{}
	errs := []error{r.readCounters(&s)}
	for i, c := range sysctls {
		v, err := r.read(i)
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", c.name, err))
			continue
		}
		s.Known |= c.known
		c.set(&s, v)
	}
	return s, errors.Join(errs...)
}

// read gives the number in a file, which is opened now if it was not there before.
func (r *StatsReader) read(i int) (uint32, error) {
	if r.files[i] < 0 {
		if r.sealed {
			return 0, errors.New("was not there when files could be opened")
		}
		fd, err := unix.Open(sysctlFolder+sysctls[i].name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		r.files[i] = fd
	}
	var buf [sysctlSize]byte
	for {
		n, err := unix.Pread(r.files[i], buf[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		v, err := strconv.ParseUint(strings.TrimSuffix(string(buf[:n]), "\n"), 10, 32)
		return uint32(v), err
	}
}

// readCounters sums the counters of all CPUs.
func (r *StatsReader) readCounters(s *ipc.Stats) error {
	var sum [ipc.NumCounters]uint64
	var cpus uint32
	_, err := r.sock.dump(context.Background(), ctGetStatsCPU, encodeStats, func(b []byte) error {
		for len(b) > 0 {
			m, rest, err := cutMessage(b)
			if err == nil {
				err = addCounters(m.bytes, &sum)
			}
			if err != nil {
				return err
			}
			cpus++
			b = rest
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read counters: %w", err)
	}
	s.Known |= ipc.StatCPU
	s.CPUs, s.PerCPU = cpus, sum
	return nil
}

// addCounters adds those of one CPU. What a kernel does not count it does not send.
func addCounters(message []byte, sum *[ipc.NumCounters]uint64) error {
	if len(message) < headerSize+nfGenSize {
		return malformed("counters in %d bytes", len(message))
	}
	ad, err := netfilter.NewAttributeDecoder(message[headerSize+nfGenSize:])
	if err != nil {
		return malformed("%v", err)
	}
	for ad.Next() {
		for i, typ := range counters {
			if b := ad.Bytes(); ad.Type() == typ && len(b) == 4 {
				sum[i] += uint64(binary.BigEndian.Uint32(b))
			}
		}
	}
	if err := ad.Err(); err != nil {
		return malformed("%v", err)
	}
	return nil
}
