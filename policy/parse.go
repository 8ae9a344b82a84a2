// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Limits of a policy file.
const (
	MaxFileSize     = 1 << 20 // bytes
	maxNesting      = 8       // of arrays, inline tables and dotted keys
	maxProtectRules = 1000
	maxListed       = 10_000 // addresses in all rules together; the same for ports, protocols, zones
	maxNameLength   = 48

	maxRate    = 1e6
	maxBurst   = 1_000_000
	maxTimeout = 2_147_483 // seconds; more are beyond 2^31 jiffies at HZ=1000
)

// What holds where the file does not say. Permissions have no place here:
// they are false unless given.
const (
	defaultRate       = 1000
	defaultBurst      = 20_000
	defaultDuty       = 0.5
	defaultMarkMask   = 0xffffffff
	defaultTimeoutMin = 10
	defaultTimeoutMax = 432_000
)

func defaultLimits() Limits {
	return Limits{Rate: defaultRate, Burst: defaultBurst, Duty: defaultDuty}
}

// Parse reads a policy file (TOML 1.0, at most MaxFileSize bytes). name stands
// in messages only. Every error is a *FileError; unknown keys, wrong types and
// values out of bounds are errors. An empty file is a policy that allows
// nothing.
//
// The list of zones may stand at the top of the file or in [dump], where TOML
// puts a key that is written below that header; giving it twice is an error.
func Parse(data []byte, name string) (*Rules, error) {
	f := newFile(data, name)
	root := f.root()
	root.only("kill", "change", "dump", "zones", "protect")
	r := &Rules{present: true}

	kill := root.table("kill")
	kill.only("allow", "rate", "burst")
	r.killAllow = kill.boolean("allow")
	r.limits.Rate = kill.share("rate", defaultRate, maxRate)
	r.limits.Burst = int(kill.integer("burst", defaultBurst, 1, maxBurst))

	change := root.table("change")
	change.only("allow", "mark_mask", "timeout_min", "timeout_max")
	r.changeAllow = change.boolean("allow")
	r.markMask = parseMask(change)
	r.timeoutMin = uint32(change.integer("timeout_min", defaultTimeoutMin, 1, maxTimeout))
	r.timeoutMax = uint32(change.integer("timeout_max", defaultTimeoutMax, 1, maxTimeout))
	if r.timeoutMin > r.timeoutMax {
		// Blame the key that was written: the other may be a default.
		key := "timeout_max"
		if change.has("timeout_min") {
			key = "timeout_min"
		}
		change.fail(key, "timeout_min (%d) is above timeout_max (%d)", r.timeoutMin, r.timeoutMax)
	}

	dump := root.table("dump")
	dump.only("duty", "zones")
	r.limits.Duty = dump.share("duty", defaultDuty, 1)

	r.zones = parseZones(root, dump)
	r.protect = parseProtect(root)
	if f.err != nil {
		return nil, f.err
	}
	return r, nil
}

func parseMask(t table) uint32 {
	s, isString := t.values["mark_mask"].(string)
	if !isString {
		return uint32(t.integer("mark_mask", defaultMarkMask, 0, 1<<32-1))
	}
	digits, base := s, 10
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		digits, base = hex, 16
	}
	mask, err := strconv.ParseUint(digits, base, 32)
	if err != nil || base == 10 && len(digits) > 1 && digits[0] == '0' {
		t.fail("mark_mask", "%s is neither a hexadecimal (0x...) nor a decimal number of 32 bits", quote(s))
	}
	return uint32(mask)
}

func parseZones(root, dump table) []uint16 {
	t := root
	if dump.has("zones") {
		if root.has("zones") {
			dump.fail("zones", "given twice, here and at the top of the file")
		}
		t = dump
	}
	var zones []uint16
	for _, v := range t.list("zones") {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 65535 {
			t.fail("zones", "%s is not a zone (0 to 65535)", show(v))
			return nil
		}
		zones = append(zones, uint16(n))
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

func parseProtect(root table) []protectRule {
	tables := root.tables("protect", maxProtectRules)
	rules := make([]protectRule, 0, len(tables))
	names := make(map[string]bool, len(tables))
	addresses := 0
	for _, t := range tables {
		t.only("name", "addresses", "ports", "protocols")
		p := protectRule{name: t.text("name")}
		switch {
		case !t.has("name"):
			t.fail("", "the rule has no name")
		case !validName(p.name):
			t.fail("name", "%s is not a name: 1 to %d of A-Z a-z 0-9 . _ -", quote(p.name), maxNameLength)
		case names[p.name]:
			t.fail("name", "%s names another rule already", quote(p.name))
		}
		names[p.name] = true
		if !t.has("addresses") && !t.has("ports") && !t.has("protocols") {
			t.fail("", "the rule %s has no list: it needs addresses, ports or protocols", quote(p.name))
		}
		p.prefixes, p.addresses = parseAddresses(t)
		p.ports = parsePorts(t)
		p.protocols = parseProtocols(t)
		if addresses += len(p.prefixes); addresses > maxListed {
			t.fail("addresses", "more than %d addresses in all rules together", maxListed)
		}
		if t.file.err != nil {
			return nil
		}
		rules = append(rules, p)
	}
	return rules
}

func validName(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return name != "" && len(name) <= maxNameLength
}

func parseAddresses(t table) ([]netip.Prefix, []addressSpan) {
	var prefixes []netip.Prefix
	var spans []addressSpan
	for _, v := range t.list("addresses") {
		s, ok := v.(string)
		if !ok {
			t.fail("addresses", "%s is not a string with an address or a network", show(v))
			return nil, nil
		}
		if strings.Contains(s, "%") {
			t.fail("addresses", "%s has a zone identifier, which conntrack does not know", quote(s))
			return nil, nil
		}
		p, err := parsePrefix(s)
		if err != nil {
			t.fail("addresses", "%s is neither an address nor a network such as 192.0.2.0/24", quote(s))
			return nil, nil
		}
		p = canonical(p)
		prefixes = append(prefixes, p)
		spans = append(spans, spanOf(p))
	}
	return prefixes, mergeAddresses(spans)
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func parsePorts(t table) []portSpan {
	var spans []portSpan
	for _, v := range t.list("ports") {
		var span portSpan
		var ok bool
		switch v := v.(type) {
		case int64:
			ok = v >= 0 && v <= 65535
			span = portSpan{uint16(v), uint16(v)}
		case string:
			low, high, dash := strings.Cut(v, "-")
			first, err1 := strconv.ParseUint(low, 10, 16)
			last, err2 := strconv.ParseUint(high, 10, 16)
			ok = dash && err1 == nil && err2 == nil && first <= last
			span = portSpan{uint16(first), uint16(last)}
		}
		if !ok {
			t.fail("ports", "%s is neither a port (a number, 0 to 65535) nor a range such as \"1000-2000\"", show(v))
			return nil
		}
		spans = append(spans, span)
	}
	return mergePorts(spans)
}

func parseProtocols(t table) []uint8 {
	var protocols []uint8
	for _, v := range t.list("protocols") {
		var number uint8
		var ok bool
		switch v := v.(type) {
		case int64:
			ok = v >= 0 && v <= 255
			number = uint8(v)
		case string:
			number, ok = protocolNumber(strings.ToLower(v))
		}
		if !ok {
			t.fail("protocols", "%s is neither a protocol's name such as \"tcp\" nor a number, 0 to 255", show(v))
			return nil
		}
		protocols = append(protocols, number)
	}
	slices.Sort(protocols)
	return slices.Compact(protocols)
}
