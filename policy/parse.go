// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"nuconntrack/policy/strict"
)

// Limits of a policy file.
const (
	MaxFileSize     = strict.MaxFileSize // bytes
	maxProtectRules = 1000
	maxListed       = strict.MaxListed // addresses in all rules together; the same for ports, protocols, zones
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

// FileError says what is wrong with a policy file and where.
type FileError = strict.Error

// Parse reads a policy file (TOML 1.0, at most MaxFileSize bytes). name stands
// in messages only. Every error is a *FileError; unknown keys, wrong types and
// values out of bounds are errors. An empty file is a policy that allows
// nothing.
//
// The list of zones may stand at the top of the file or in [dump], where TOML
// puts a key that is written below that header; giving it twice is an error.
func Parse(data []byte, name string) (*Rules, error) {
	root := strict.Read(data, name)
	root.Only(rootKeys()...)
	r := &Rules{present: true}

	kill := root.Table("kill")
	kill.Only(killKeys()...)
	r.killAllow = kill.Boolean("allow")
	r.limits.Rate = kill.Share("rate", defaultRate, maxRate)
	r.limits.Burst = int(kill.Integer("burst", defaultBurst, 1, maxBurst))

	change := root.Table("change")
	change.Only(changeKeys()...)
	r.changeAllow = change.Boolean("allow")
	r.markMask = parseMask(change, defaultMarkMask)
	r.timeoutMin = uint32(change.Integer("timeout_min", defaultTimeoutMin, 1, maxTimeout))
	r.timeoutMax = uint32(change.Integer("timeout_max", defaultTimeoutMax, 1, maxTimeout))
	if r.timeoutMin > r.timeoutMax {
		// Blame the key that was written: the other may be a default.
		key := "timeout_max"
		if change.Has("timeout_min") {
			key = "timeout_min"
		}
		change.Fail(key, "timeout_min (%d) is above timeout_max (%d)", r.timeoutMin, r.timeoutMax)
	}

	dump := root.Table("dump")
	dump.Only(dumpKeys()...)
	r.limits.Duty = dump.Share("duty", defaultDuty, 1)

	r.zones = parseZones(root, dump)
	r.protect = parseProtect(root)
	if err := root.Err(); err != nil {
		return nil, err
	}
	return r, nil
}

// listed returns the elements at key, nil where there is none. An empty list is
// refused: it could mean nothing or everything.
func listed(t strict.Table, key string) []any {
	list := t.List(key)
	if list != nil && len(list) == 0 {
		t.Fail(key, "the array is empty; leave the key out to mean any")
	}
	return list
}

// parseMask returns the bits at mark_mask, standard where there is no such key.
func parseMask(t strict.Table, standard uint32) uint32 {
	s, isString := t.Value("mark_mask").(string)
	if !isString {
		return uint32(t.Integer("mark_mask", int64(standard), 0, 1<<32-1))
	}
	mask, ok := parseBits(s)
	if !ok {
		t.Fail("mark_mask", "%s is neither a hexadecimal (0x...) nor a decimal number of 32 bits", strict.Quote(s))
	}
	return mask
}

// parseBits reads a decimal number, or a hexadecimal one after 0x. A decimal one with a
// leading zero is refused: it may have been meant as an octal one.
func parseBits(s string) (bits uint32, ok bool) {
	digits, base := s, 10
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	return uint32(n), err == nil && (base != 10 || len(digits) == 1 || digits[0] != '0')
}

func parseZones(root, dump strict.Table) []uint16 {
	t := root
	if dump.Has("zones") {
		if root.Has("zones") {
			dump.Fail("zones", "given twice, here and at the top of the file")
		}
		t = dump
	}
	return zonesOf(t)
}

// zonesOf returns the zones at the key zones, sorted; nil where there is no such key.
func zonesOf(t strict.Table) []uint16 {
	var zones []uint16
	for _, v := range listed(t, "zones") {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 65535 {
			t.Fail("zones", "%s is not a zone (0 to 65535)", strict.Show(v))
			return nil
		}
		zones = append(zones, uint16(n))
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

func parseProtect(root strict.Table) []protectRule {
	tables := root.Tables("protect", maxProtectRules)
	rules := make([]protectRule, 0, len(tables))
	names := make(map[string]bool, len(tables))
	addresses := 0
	for _, t := range tables {
		t.Only(protectKeys()...)
		p := protectRule{name: t.Text("name")}
		switch {
		case !t.Has("name"):
			t.Fail("", "the rule has no name")
		case !validName(p.name):
			t.Fail("name", "%s is not a name: 1 to %d of A-Z a-z 0-9 . _ -", strict.Quote(p.name), maxNameLength)
		case reserved(p.name):
			t.Fail("name", "%s is the name of a rule that is always there", strict.Quote(p.name))
		case names[p.name]:
			t.Fail("name", "%s names another rule already", strict.Quote(p.name))
		}
		names[p.name] = true
		if !t.Has("addresses") && !t.Has("ports") && !t.Has("protocols") {
			t.Fail("", "the rule %s has no list: it needs addresses, ports or protocols", strict.Quote(p.name))
		}
		p.prefixes = parsePrefixes(t, "addresses")
		p.addresses = spansOf(p.prefixes)
		p.ports = parsePorts(t)
		p.protocols = parseProtocols(t)
		if addresses += len(p.prefixes); addresses > maxListed {
			t.Fail("addresses", "more than %d addresses in all rules together", maxListed)
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

// parsePrefixes returns the canonical networks at key, nil where there is no such key.
func parsePrefixes(t strict.Table, key string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, v := range listed(t, key) {
		s, ok := v.(string)
		if !ok {
			t.Fail(key, "%s is not a string with an address or a network", strict.Show(v))
			return nil
		}
		if strings.Contains(s, "%") {
			t.Fail(key, "%s has a zone identifier, which conntrack does not know", strict.Quote(s))
			return nil
		}
		p, err := parsePrefix(s)
		if err != nil {
			t.Fail(key, "%s is neither an address nor a network such as 192.0.2.0/24", strict.Quote(s))
			return nil
		}
		prefixes = append(prefixes, canonical(p))
	}
	return prefixes
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

func parsePorts(t strict.Table) []portSpan {
	var spans []portSpan
	for _, v := range listed(t, "ports") {
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
			t.Fail("ports", "%s is neither a port (a number, 0 to 65535) nor a range such as \"1000-2000\"", strict.Show(v))
			return nil
		}
		spans = append(spans, span)
	}
	return mergePorts(spans)
}

func parseProtocols(t strict.Table) []uint8 {
	var protocols []uint8
	for _, v := range listed(t, "protocols") {
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
			t.Fail("protocols", "%s is neither a protocol's name such as \"tcp\" nor a number, 0 to 255", strict.Show(v))
			return nil
		}
		protocols = append(protocols, number)
	}
	slices.Sort(protocols)
	return slices.Compact(protocols)
}
