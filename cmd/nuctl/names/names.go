// SPDX-License-Identifier: GPL-2.0-or-later

// Package names finds names for the addresses and ports of connections, for people who ask
// for them.
//
// Addresses come from the network, and so do the names: whoever owns an address says what it
// is called. The package must never keep a listing waiting for longer than its budget,
// never ask for the same address twice, and never pass on a name that could be taken for
// another address or holds anything but the letters of host names.
package names

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"nuconntrack/cmd/nuctl/connection"
)

const (
	// Budget is how long all of a listing waits for names together.
	Budget = 2 * time.Second
	// lookupTime bounds one look-up.
	lookupTime = 2 * time.Second
	// workers is how many look-ups are under way at once.
	workers = 32
	// maxHosts is how many addresses are asked for and remembered. Later ones stay
	// numbers.
	maxHosts = 16_384
	// maxName is the length of a name, in bytes (RFC 1035, section 2.3.4).
	maxName = 253
)

// Config is what New needs.
type Config struct {
	// Lookup gives the names of an address; nil asks the system's resolver.
	Lookup func(ctx context.Context, addr string) ([]string, error)
	// Services is the text of /etc/services; empty knows no services.
	Services string
	// Budget in the place of the constant, if it is not 0.
	Budget time.Duration
}

// Resolver remembers names. Safe for concurrent use. Close ends its look-ups.
type Resolver struct {
	lookup   func(ctx context.Context, addr string) ([]string, error)
	services map[service]string
	stop     context.CancelFunc
	ctx      context.Context
	queue    chan string
	done     sync.WaitGroup

	mu     sync.Mutex
	budget time.Duration
	hosts  map[string]string // "" while nothing is known
	open   map[string]chan struct{}
}

type service struct {
	protocol string
	port     uint64
}

// New starts a Resolver.
func New(c Config) *Resolver {
	if c.Lookup == nil {
		c.Lookup = net.DefaultResolver.LookupAddr
	}
	if c.Budget == 0 {
		c.Budget = Budget
	}
	r := &Resolver{lookup: c.Lookup, services: parseServices(c.Services), budget: c.Budget,
		queue: make(chan string, maxHosts), hosts: map[string]string{}, open: map[string]chan struct{}{}}
	r.ctx, r.stop = context.WithCancel(context.Background())
	for range workers {
		r.done.Go(r.work)
	}
	return r
}

// Close ends all look-ups. It may be called twice.
func (r *Resolver) Close() {
	r.stop()
	r.done.Wait()
}

// Learn asks for the addresses of rows that are new, and waits for the names as long as
// the budget lasts. What comes later is known to the next listing.
func (r *Resolver) Learn(rows []connection.Row) {
	var wanted []chan struct{}
	r.mu.Lock()
	for _, row := range rows {
		for _, field := range []string{"orig_src", "orig_dst", "repl_src", "repl_dst"} {
			if text, ok := row.Text(field); ok {
				if answer := r.ask(text); answer != nil {
					wanted = append(wanted, answer)
				}
			}
		}
	}
	budget := r.budget
	r.mu.Unlock()
	began := time.Now()
	timer := time.NewTimer(budget)
	defer timer.Stop()
wait:
	for _, answer := range wanted {
		select {
		case <-answer:
		case <-timer.C:
			break wait
		case <-r.ctx.Done():
			break wait
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.budget = max(0, r.budget-time.Since(began))
}

// ask queues an address that is new, and gives what to wait for: nil if the answer is
// there, or none will be.
func (r *Resolver) ask(text string) chan struct{} {
	if answer, ok := r.open[text]; ok {
		return answer
	}
	if _, known := r.hosts[text]; known || len(r.hosts) >= maxHosts {
		return nil
	}
	if addr, err := netip.ParseAddr(text); err != nil || addr.Zone() != "" {
		return nil
	}
	answer := make(chan struct{})
	r.hosts[text], r.open[text] = "", answer
	r.queue <- text // there is room for as many as hosts holds
	return answer
}

func (r *Resolver) work() {
	for {
		select {
		case <-r.ctx.Done():
			return
		case addr := <-r.queue:
			r.find(addr)
		}
	}
}

func (r *Resolver) find(addr string) {
	ctx, cancel := context.WithTimeout(r.ctx, lookupTime)
	defer cancel()
	found, err := r.lookup(ctx, addr)
	name := ""
	if err == nil && len(found) > 0 {
		name = hostName(found[0])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts[addr] = name
	close(r.open[addr])
	delete(r.open, addr)
}

// Host is the name of an address, or the address.
func (r *Resolver) Host(addr string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name := r.hosts[addr]; name != "" {
		return name
	}
	return addr
}

// Service is the name of a port of a protocol, or its number.
func (r *Resolver) Service(protocol string, port uint64) string {
	if name, ok := r.services[service{protocol, port}]; ok {
		return name
	}
	return strconv.FormatUint(port, 10)
}

// hostName is a name without its final dot, "" for what is none. One that ends in a number
// could be taken for an address (WHATWG URL, "ends in a number").
func hostName(name string) string {
	name = strings.TrimSuffix(name, ".")
	foreign := func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "" || len(name) > maxName || strings.ContainsFunc(name, foreign) || last[0] >= '0' && last[0] <= '9' {
		return ""
	}
	return name
}

// parseServices reads services(5). The first name of a port counts.
func parseServices(text string) map[service]string {
	all := map[service]string{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		number, protocol, ok := strings.Cut(words[1], "/")
		port, err := strconv.ParseUint(number, 10, 16)
		at := service{protocol, port}
		if _, twice := all[at]; !ok || err != nil || twice || hostName("x."+words[0]) == "" && hostName(words[0]) == "" {
			continue
		}
		all[at] = words[0]
	}
	return all
}
