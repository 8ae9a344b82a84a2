// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/frontd/table"
)

// filterFlags are the filters on the command line: the letters that users of conntrack
// know, and any field by name.
type filterFlags struct {
	src, dst, replySrc, replyDst           string
	proto, mark, sport, dport, state, zone string
	family                                 string
	ipv4, ipv6                             bool
	named                                  []string
	expr                                   []string // the words of an expression
}

func (ff *filterFlags) flags(f *pflag.FlagSet) {
	f.StringVarP(&ff.src, "src", "s", "", "source `ADDRESS` of the first packet, or network")
	f.StringVarP(&ff.dst, "dst", "d", "", "destination `ADDRESS` of the first packet, or network")
	f.StringVarP(&ff.replySrc, "reply-src", "r", "", "`ADDRESS` that answers come from, or network")
	f.StringVarP(&ff.replyDst, "reply-dst", "q", "", "`ADDRESS` that answers go to, or network")
	f.StringVarP(&ff.proto, "proto", "p", "", "`PROTOCOL`, by name or number")
	f.StringVarP(&ff.family, "family", "f", "", "ipv4 or ipv6")
	f.StringVarP(&ff.mark, "mark", "m", "", "`VALUE[/MASK]` of the mark")
	f.StringVarP(&ff.zone, "zone", "w", "", "conntrack `ZONE` of both directions")
	f.StringVar(&ff.sport, "sport", "", "source `PORT` of the first packet")
	f.StringVar(&ff.dport, "dport", "", "destination `PORT` of the first packet")
	f.StringVar(&ff.state, "state", "", "`STATE` of the protocol, such as established")
	f.BoolVarP(&ff.ipv4, "ipv4", "4", false, "short for --family ipv4")
	f.BoolVarP(&ff.ipv6, "ipv6", "6", false, "short for --family ipv6")
	f.StringArrayVar(&ff.named, "filter", nil, "`NAME=VALUE` of any field; may be repeated")
}

// compile gives the filters as the server wants them.
func (ff *filterFlags) compile() (map[string]any, error) {
	filters := map[string]any{}
	family, err := ff.l3proto()
	if err != nil {
		return nil, err
	}
	for _, f := range []struct{ name, value string }{
		{"orig_src", ff.src}, {"orig_dst", ff.dst}, {"repl_src", ff.replySrc}, {"repl_dst", ff.replyDst}, {"proto", ff.proto}, {"orig_l3proto", family},
		{"mark", ff.mark}, {"zone", ff.zone}, {"orig_port_src", ff.sport}, {"orig_port_dst", ff.dport}, {"state", ff.state},
	} {
		if f.value == "" {
			continue
		}
		if filters[f.name], err = filterValue(f.name, f.value); err != nil {
			return nil, err
		}
	}
	if len(ff.expr) > 0 {
		filters["expr"] = table.JoinExpr(ff.expr)
	}
	for _, text := range ff.named {
		name, value, ok := strings.Cut(text, "=")
		if !ok || !wordLike(name) || value == "" {
			return nil, usagef("--filter %q: must be NAME=VALUE", text)
		}
		if _, twice := filters[name]; twice {
			return nil, usagef("--filter %q: %s is filtered twice; write a list for any of several values", text, name)
		}
		if filters[name], err = filterValue(name, value); err != nil {
			return nil, err
		}
	}
	return filters, nil
}

// l3proto gives the number of the address family, empty for both.
func (ff *filterFlags) l3proto() (string, error) {
	family := strings.ToLower(ff.family)
	for _, short := range []struct {
		set  bool
		name string
	}{{ff.ipv4, "ipv4"}, {ff.ipv6, "ipv6"}} {
		if !short.set {
			continue
		}
		if family != "" && family != short.name {
			return "", usagef("no connection is both IPv4 and IPv6")
		}
		family = short.name
	}
	switch family {
	case "":
		return "", nil
	case "ipv4":
		return "2", nil
	case "ipv6":
		return "10", nil
	}
	return "", usagef("--family %q: must be ipv4 or ipv6", ff.family)
}

// filterValue makes a list of what commas separate, and a flag of a flag's words.
// The member expr is an expression and stays as it is.
func filterValue(name, value string) (any, error) {
	if connection.TypeOf(name) == connection.Flag {
		switch strings.ToLower(value) {
		case "true", "yes", "1":
			return true, nil
		case "false", "no", "0":
			return false, nil
		}
		return nil, usagef("filter %s: %q is not true or false", name, value)
	}
	if name == "expr" || !strings.Contains(value, ",") {
		return value, nil
	}
	values := strings.Split(value, ",")
	for i, v := range values {
		if values[i] = strings.TrimSpace(v); values[i] == "" {
			return nil, usagef("filter %s: an empty value in the list %q", name, value)
		}
	}
	return values, nil
}

// wordLike says whether a text can be the name of a field. Names go into the call as they
// are.
func wordLike(name string) bool {
	foreign := func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}
	return name != "" && len(name) <= 32 && !strings.ContainsFunc(name, foreign)
}
