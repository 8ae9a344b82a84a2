// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// String returns the rules as understood, every default filled in, in the form
// of a policy file: Parse reads it back to the same rules. Only for None does it
// say in a comment what TOML cannot.
func (r *Rules) String() string {
	var b strings.Builder
	if r == nil || !r.present {
		b.WriteString("# no policy file: nothing may be killed or changed\n")
		r = &Rules{
			limits: defaultLimits(), markMask: defaultMarkMask,
			timeoutMin: defaultTimeoutMin, timeoutMax: defaultTimeoutMax,
		}
	}
	if len(r.zones) == 0 {
		b.WriteString("# zones: all\n")
	} else {
		fmt.Fprintf(&b, "zones = [%s]\n", join(r.zones, func(z uint16) string { return strconv.Itoa(int(z)) }))
	}
	fmt.Fprintf(&b, "\n[kill]\nallow = %t\nrate = %s\nburst = %d\n",
		r.killAllow, number(r.limits.Rate), r.limits.Burst)
	fmt.Fprintf(&b, "\n[change]\nallow = %t\nmark_mask = \"%#x\"\ntimeout_min = %d\ntimeout_max = %d\n",
		r.changeAllow, r.markMask, r.timeoutMin, r.timeoutMax)
	fmt.Fprintf(&b, "\n[dump]\nduty = %s\n", number(r.limits.Duty))
	for i := range r.protect {
		r.protect[i].print(&b)
	}
	return b.String()
}

func (p *protectRule) print(b *strings.Builder) {
	fmt.Fprintf(b, "\n[[protect]]\nname = %q\n", p.name)
	if p.prefixes != nil {
		b.WriteString("addresses = [")
		wideOpen := false
		for i, prefix := range p.prefixes {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(b, "%q", shownPrefix(prefix))
			wideOpen = wideOpen || coversIPv4(prefix)
		}
		b.WriteString("]")
		if wideOpen {
			b.WriteString("  # every IPv4 address too")
		}
		b.WriteString("\n")
	}
	if p.ports != nil {
		fmt.Fprintf(b, "ports = [%s]\n", join(p.ports, func(s portSpan) string {
			if s.first == s.last {
				return strconv.Itoa(int(s.first))
			}
			return fmt.Sprintf(`"%d-%d"`, s.first, s.last)
		}))
	}
	if p.protocols != nil {
		fmt.Fprintf(b, "protocols = [%s]\n", join(p.protocols, func(n uint8) string {
			name := protocolName(n)
			if _, ok := protocolNumber(name); ok {
				return strconv.Quote(name)
			}
			return name
		}))
	}
}

// shownPrefix writes a network, or the address that is the only one in it.
func shownPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func join[T any](list []T, text func(T) string) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = text(v)
	}
	return strings.Join(parts, ", ")
}

// number writes a float that TOML reads back to the same value.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
