// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"net/netip"
	"strings"
)

// MaxHidden is how many entries HideFilter takes.
const MaxHidden = 1000

// HideFilter makes the filter of what is to be left out everywhere: what fits any of the
// entries, each a network or an expression; nil for none. A network stands for the
// connections that stay inside of it, with all four addresses: those that only touch it, and so
// somebody beyond, are left out by an expression such as "host 10.0.0.0/8". The error names the entry.
func HideFilter(entries []string) (*Filter, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	if len(entries) > MaxHidden {
		return nil, fmt.Errorf("more than %d entries", MaxHidden)
	}
	hidden := &Filter{name: fmt.Sprintf("hidden %q", entries)}
	var tests some
	for _, entry := range entries {
		if network, ok := parseNetwork(entry); ok {
			tests = append(tests, inside(network))
			continue
		}
		f, err := ParseExpr(entry)
		if err != nil {
			return nil, fmt.Errorf("%s is neither a network nor an expression: %w", Quoted(entry), err)
		}
		if f.root == nil {
			return nil, fmt.Errorf("%s hides every connection", Quoted(entry))
		}
		hidden.uses = append(hidden.uses, f.uses...)
		tests = append(tests, f.root)
	}
	hidden.root = tests
	return hidden, nil
}

// parseNetwork reads an address or a network, whose host bits are ignored.
func parseNetwork(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || strings.Contains(s, "%") {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// inside asks for all four addresses.
func inside(network netip.Prefix) node {
	set := addressesOf([]netip.Prefix{network})
	var tests every
	for _, name := range [...]string{"orig_src", "orig_dst", "repl_src", "repl_dst"} {
		f, _ := FieldNamed(name)
		tests = append(tests, newAddressTest(f, set))
	}
	return tests
}

// Except makes the filter of what is in a scope and not hidden; either may be nil.
func Except(scope, hidden *Filter) *Filter {
	if hidden == nil {
		return scope
	}
	tests := every{not{hidden.root}}
	if scope != nil {
		tests = append(every{scope.root}, tests...)
	}
	// As a name of kept answers: neither part can be mistaken for a filter of a caller's.
	return &Filter{root: tests, name: scope.Name() + " except " + hidden.name}
}
