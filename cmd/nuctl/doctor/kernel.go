// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"fmt"
	"math/bits"
	"strings"
)

// Limits of what is fine.
const (
	seriousFill = 95 // percent of the table's size
	warnFill    = 80
	warnChain   = 4 // connections for each bucket of the hash table, on average
)

// keepSysctl is how a setting outlives the next boot: a sysctl of a module that is not
// loaded yet is not set.
func keepSysctl(setting string) []string {
	name, value, _ := strings.Cut(setting, "=")
	return []string{
		"sysctl -w " + setting,
		fmt.Sprintf("echo '%s = %s' > /etc/sysctl.d/90-%s.conf", name, value, name[strings.LastIndexByte(name, '.')+1:]),
		"echo nf_conntrack > /etc/modules-load.d/nf_conntrack.conf",
	}
}

// setting says whether a setting of the kernel is on: by the statistics, or by the warning
// that a view has while it is off.
func setting(f Facts, name string) (on, known bool) {
	if f.Stats != nil {
		if on, ok := f.Stats.Flag(name); ok {
			return on, true
		}
	}
	for _, w := range f.Warnings {
		if strings.HasPrefix(w, name+":") {
			return false, true
		}
	}
	return false, false
}

// optional is a check of what the kernel notes on connections only if it is told to.
type optional struct {
	name, sysctl, what, loses string
	lacking                   int // connections without it
}

func (o optional) check(f Facts) []Finding {
	on, known := setting(f, o.name)
	const existing = "Connections that exist already get none by it, until they are made anew."
	switch {
	case known && !on:
		return one(Finding{
			Name: o.name, Severity: Warning, Summary: fmt.Sprintf("%s is off (%s=0)", o.name, o.sysctl),
			Meaning: "Connections that begin now lack " + o.what + ": " + o.loses,
			Mend:    keepSysctl("net.netfilter." + o.sysctl + "=1"),
			Cost:    "Some 16 to 32 bytes of kernel memory for each new connection, and hardly any time. " + existing,
		})
	case o.lacking > 0:
		return one(Finding{
			Name: o.name, Severity: Note, Summary: fmt.Sprintf("%d of %d connections lack %s", o.lacking, f.Count, o.what),
			Meaning: fmt.Sprintf("They began while %s was off. %s %s", o.sysctl, existing, o.loses),
		})
	case known || f.Count > 0 && o.lacking == 0:
		return one(Finding{Name: o.name, Severity: Fine, Summary: "connections have " + o.what})
	}
	return one(Finding{Name: o.name, Severity: Unknown, Summary: "whether connections have " + o.what + " is not known" + why(f)})
}

// why says why statistics are not known.
func why(f Facts) string {
	switch {
	case f.StatsErr != "":
		return ", the server does not say: " + f.StatsErr
	case f.Stats == nil:
		return fmt.Sprintf(", the role %q may not ask for statistics", f.Role)
	}
	return ", the server's kernel does not say"
}

func accounting(f Facts) []Finding {
	return optional{"accounting", "nf_conntrack_acct", "counters",
		"they have no bytes, no packets and no rates, and a filter or sorting by these leaves them out or puts them last.", f.Uncounted}.check(f)
}

func timestamps(f Facts) []Finding {
	return optional{"timestamps", "nf_conntrack_timestamp", "a start",
		"they have no start and no age, and no average rate.", f.Undated}.check(f)
}

// loose is about nf_conntrack_tcp_loose: whether the kernel takes a packet in the middle
// of a TCP connection that it does not know for the beginning of one.
func loose(f Facts) []Finding {
	watched, returned := uint64(0), uint64(0)
	on, known := false, false
	if f.Stats != nil {
		watched, _ = f.Stats.Number("kills_watched")
		returned, _ = f.Stats.Number("kills_returned")
		on, known = f.Stats.Flag("tcp_loose")
	}
	finding := Finding{
		Name: "kills", Severity: Warning, Summary: "killed TCP connections can come back (nf_conntrack_tcp_loose=1)",
		Meaning: "The next packet of a killed connection makes a new one where a rule accepts NEW without looking at the flags of TCP. 'nuctl kill' tells if that happens within two seconds.",
		Mend: append(keepSysctl("net.netfilter.nf_conntrack_tcp_loose=0"),
			"nft insert rule inet filter forward 'ct state new tcp flags & (fin|syn|rst|ack) != syn drop' (in place of it, with your table and chain)"),
		Cost: "Connections that exist are not affected. From then on those whose entry is lost, by a reboot, a flush, or a failover without conntrackd, do not go on: their peers have to connect again.",
	}
	switch {
	case returned > 0:
		finding.Summary = fmt.Sprintf("%d of %d killed connections that were watched came back", returned, watched)
		if on {
			finding.Severity = Serious
			return one(finding)
		}
		finding.Severity = Warning
		finding.Meaning = "With nf_conntrack_tcp_loose off these were UDP or another protocol, or both peers connected again with the same ports."
		finding.Mend = []string{"a rule of the firewall that refuses them: whatever is allowed may begin again"}
		finding.Cost = ""
		return one(finding)
	case known && on:
		return one(finding)
	case known:
		return one(Finding{Name: "kills", Severity: Fine, Summary: "killed TCP connections stay dead (nf_conntrack_tcp_loose=0)"})
	}
	return one(Finding{Name: "kills", Severity: Unknown, Summary: "whether killed TCP connections can come back is not known" + why(f)})
}

func fill(f Facts) []Finding {
	count, limit, known := uint64(0), uint64(0), false
	if f.Stats != nil {
		var counted bool
		count, counted = f.Stats.Number("count")
		limit, known = f.Stats.Number("max")
		known = known && counted && limit > 0
	}
	if !known {
		for _, w := range f.Warnings {
			if text, ok := strings.CutPrefix(w, "full:"); ok {
				return one(Finding{Name: "table", Severity: Serious, Summary: strings.TrimSpace(text)})
			}
		}
		return one(Finding{Name: "table", Severity: Unknown, Summary: "how full the kernel's table is is not known" + why(f)})
	}
	percent := int(min(float64(count)/float64(limit), 10) * 100)
	summary := fmt.Sprintf("the kernel's table is %d%% full: %d of %d connections", percent, count, limit)
	finding := Finding{
		Name: "table", Severity: Fine, Summary: summary,
	}
	if percent < warnFill {
		return one(finding)
	}
	finding.Severity = Warning
	finding.Meaning = "When it is full the kernel removes connections that are not assured, and drops the first packets of new ones: what is not in the list may have been refused."
	if percent >= seriousFill {
		finding.Severity = Serious
	}
	finding.Mend = append(keepSysctl(fmt.Sprintf("net.netfilter.nf_conntrack_max=%d", 2*limit)), fmt.Sprintf("echo %d > /sys/module/nf_conntrack/parameters/hashsize", 1<<(bits.Len64(2*limit-1)-1)))
	finding.Cost = fmt.Sprintf("Up to %d MB of kernel memory more once it is filled (about 320 bytes a connection, never swapped). Existing connections stay; new buckets are filled while packets wait for a moment.", limit*320/1_000_000+1)
	return one(finding)
}

func buckets(f Facts) []Finding {
	if f.Stats == nil {
		return nil
	}
	count, ok := f.Stats.Number("count")
	size, known := f.Stats.Number("buckets")
	if !ok || !known || size == 0 || count/size < warnChain {
		return nil
	}
	return one(Finding{
		Name: "buckets", Severity: Warning, Summary: fmt.Sprintf("%d connections share %d buckets of the kernel's hash table", count, size),
		Meaning: "Every packet looks through a long chain; the firewall is slower than it could be, and so is reading the table.",
		Mend:    []string{fmt.Sprintf("echo %d > /sys/module/nf_conntrack/parameters/hashsize", 1<<bits.Len64(count-1))},
		Cost:    "8 bytes a bucket. Existing connections stay; packets wait for a moment while they are moved.",
	})
}

// drops looks at the kernel's counters, which are sums since its start (struct
// ip_conntrack_stat).
func drops(f Facts) []Finding {
	if f.Stats == nil {
		return nil
	}
	var all []Finding
	for _, c := range []struct {
		name, what, meaning string
		severity            Severity
	}{
		{"drop", "packets were dropped because the table was full or memory short", "Connections were refused that no list shows.", Warning},
		{"early_drop", "connections were removed to make room for others", "They are gone without anybody having killed them: 'gone' in the report of a kill may be that.", Warning},
		{"chain_toolong", "connections were refused because a chain of the hash table was too long", "Either there are far too few buckets, or somebody picks addresses that fall into one.", Warning},
		{"insert_failed", "new connections lost a race against one with the same addresses", "Their first packet was dropped. Some are normal, with DNS above all.", Note},
	} {
		n, ok := f.Stats.Number(c.name)
		if !ok || n == 0 {
			continue
		}
		finding := Finding{Name: c.name, Severity: c.severity, Summary: fmt.Sprintf("%d %s since the kernel started", n, c.what), Meaning: c.meaning}
		if c.severity == Warning {
			finding.Mend = []string{"conntrack -S (on the firewall, twice: does it still grow?)", "a larger table, as 'sysctl net.netfilter.nf_conntrack_max' shows its size"}
			finding.Cost = "About 320 bytes of kernel memory for each connection more. Existing connections stay."
		}
		all = append(all, finding)
	}
	if _, known := f.Stats.Number("drop"); known && len(all) == 0 {
		all = one(Finding{Name: "drop", Severity: Fine, Summary: "the kernel has not dropped packets or connections for want of room"})
	}
	return all
}

func offload(f Facts) []Finding {
	switch {
	case f.Offloaded < 0:
		return one(Finding{Name: "offload", Severity: Unknown, Summary: "whether connections are offloaded is not known"})
	case f.Offloaded == 0:
		return one(Finding{Name: "offload", Severity: Fine, Summary: "no connection goes through a flowtable"})
	}
	return one(Finding{
		Name: "offload", Severity: Warning, Summary: fmt.Sprintf("%d connections go through a flowtable (nuctl list offload)", f.Offloaded),
		Meaning: "Their packets pass by the firewall's rules and connection tracking. Their state stands still, their counters and rates too unless the flowtable counts, and one that was killed goes on until the kernel looks after it, a second later or more with hardware.",
		Mend:    []string{"nft list flowtables (on the firewall; 'counter' in a flowtable makes it count)", "no 'flow add' for what has to be watched and cut exactly"},
		Cost:    "Packets that are not offloaded take the whole way, which is slower by a factor of two and more.",
	})
}
