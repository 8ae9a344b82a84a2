// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"nuconntrack/frontd/table/expr"
)

// members is a filter of the interface; sums are several, of which any may hold.
type members = map[string]Operand

// goodExpr is an expression and filters that say the same: rows of any of them match.
type goodExpr struct {
	text  string
	canon string // empty: as text
	same  []members
}

var goodExprs = []goodExpr{
	{"tcp and port 22", "proto tcp and port 22", []members{{"proto": "tcp", "port": 22}}},
	{"proto tcp and dst 10.0.0.0/8 and dport 80,443 and not state established and rate > 100k", "",
		[]members{{"proto": "tcp", "orig_dst": "10.0.0.0/8", "orig_port_dst": list(80, 443), "state": "!ESTABLISHED", "byte_rate": ">100000"}}},
	{"host 192.0.2.1 and (udp or icmp)", "host 192.0.2.1 and (proto udp or proto icmp)",
		[]members{{"address": "192.0.2.1", "proto": list("udp", "icmp")}}},
	{"src 10.0.0.1-10.0.0.9 and dport != 22,443", "src 10.0.0.1-10.0.0.9 and not dport 22,443",
		[]members{{"orig_src": "10.0.0.1-10.0.0.9", "orig_port_dst": "!22", "expr": "not dport 443"}}},
	{"ip6 && !assured", "family ipv6 and not assured", []members{{"orig_l3proto": 10, "assured": false}}},
	{"src net 10.0.0.0/8 and dst port 1-1023", "src 10.0.0.0/8 and dport 1-1023",
		[]members{{"orig_src": "10.0.0.0/8", "orig_port_dst": "1-1023"}}},
	{"nat and unreplied", "nat and not seen_reply", []members{{"snat": true, "seen_reply": false}, {"dnat": true, "seen_reply": false}}},
	{"rate gt 1.5M or orig_bytes >= 2G", "rate > 1.5M or orig_bytes >= 2G",
		[]members{{"byte_rate": ">1500000"}, {"orig_counter_bytes": ">=2000000000"}}},
	{"age > 1h30m and timeout < 5m", "", []members{{"age": ">5400", "timeout": "<300"}}},
	{"mark 0x10/0xf0 and not mark 0x12", "", []members{{"mark": "0x10/0xf0", "expr": "mark != 18"}}},
	{"state syn_sent,syn_recv and not src 10.0.0.0/8", "", []members{{"state": list("SYN_SENT", "SYN_RECV"), "orig_src": "!10.0.0.0/8"}}},
	{`helper "sip" or zone 1-7`, "helper sip or zone 1-7", []members{{"helper": "sip"}, {"zone": "1-7"}}},

	// Precedence.
	{"tcp or udp and port 22", "proto tcp or proto udp and port 22", []members{{"proto": "tcp"}, {"proto": "udp", "port": 22}}},
	{"port 22 and tcp or udp", "port 22 and proto tcp or proto udp", []members{{"proto": "tcp", "port": 22}, {"proto": "udp"}}},
	{"(tcp or udp) and port 22", "(proto tcp or proto udp) and port 22", []members{{"proto": list("tcp", "udp"), "port": 22}}},
	{"not tcp and port 22", "not proto tcp and port 22", []members{{"proto": "!tcp", "port": 22}}},
	{"not tcp or assured", "not proto tcp or assured", []members{{"proto": "!tcp"}, {"assured": true}}},
	{"not (tcp or udp)", "not (proto tcp or proto udp)", []members{{"proto": "!tcp", "expr": "not udp"}}},
	{"!(tcp && port 22)", "not (proto tcp and port 22)", []members{{"proto": "!tcp"}, {"port": "!22"}}},
	{"tcp and (port 22 and assured)", "proto tcp and port 22 and assured", []members{{"proto": "tcp", "port": 22, "assured": true}}},
	{"((tcp)) or (udp or (icmp))", "proto tcp or proto udp or proto icmp", []members{{"proto": list("tcp", "udp", "icmp")}}},
	{"not not tcp", "proto tcp", []members{{"proto": "tcp"}}},
	{"!!!tcp", "not proto tcp", []members{{"proto": "!tcp"}}},

	// Spelling.
	{"PROTO TCP AND NOT Dport=443", "proto TCP and not dport 443", []members{{"proto": "tcp", "orig_port_dst": "!443"}}},
	{"tcp&&dport==443||udp", "proto tcp and dport 443 or proto udp", []members{{"proto": "tcp", "orig_port_dst": 443}, {"proto": "udp"}}},
	{" \t\r\n dport  80 ,\n443 ", "dport 80,443", []members{{"orig_port_dst": list(80, 443)}}},
	{"dport>=1024", "dport >= 1024", []members{{"orig_port_dst": ">=1024"}}},
	{"dport LT 1024", "dport < 1024", []members{{"orig_port_dst": "<1024"}}},
	{"dport le 1024 and sport ge 1024", "dport <= 1024 and sport >= 1024", []members{{"orig_port_dst": "<=1024", "orig_port_src": ">=1024"}}},
	{"dport eq 22,443", "dport 22,443", []members{{"orig_port_dst": list(22, 443)}}},
	{"dport ne 22", "not dport 22", []members{{"orig_port_dst": "!22"}}},
	{"dport !22", "not dport 22", []members{{"orig_port_dst": "!22"}}},
	{"dport = :443,:22", "dport :443,:22", []members{{"orig_port_dst": list(22, 443)}}},
	{`dport "443"`, "dport 443", []members{{"orig_port_dst": 443}}},
	{"not dport != 22", "dport 22", []members{{"orig_port_dst": 22}}},
	{"not dport > 22", "", []members{{"orig_port_dst": "!>22"}}},
	{"not host 10.0.0.1", "", []members{{"address": "!10.0.0.1"}}},
	{"addr 2001:db8::/32", "host 2001:db8::/32", []members{{"address": "2001:db8::/32"}}},
	{"saddr 10.0.0.1 or daddr 10.0.0.1", "src 10.0.0.1 or dst 10.0.0.1", []members{{"orig_src": "10.0.0.1"}, {"orig_dst": "10.0.0.1"}}},
	{"orig_port_dst 22 and orig_l4proto 6", "dport 22 and proto 6", []members{{"orig_port_dst": 22, "proto": 6}}},
	{"assured = true or snat eq no", "assured or not snat", []members{{"assured": true}, {"snat": false}}},
	{"assured != 1 and dnat ne false", "not assured and dnat", []members{{"assured": false, "dnat": true}}},
	{"unreplied = no", "seen_reply", []members{{"seen_reply": true}}},
	{"fixed or offloaded", "fixed_timeout or offload", []members{{"fixed_timeout": true}, {"offload": true}}},
	{"icmp6 or proto ipv6-icmp", "proto icmpv6 or proto ipv6-icmp", []members{{"proto": 58}}},
	{"ipv4 and proto ipv6", "family ipv4 and proto ipv6", []members{{"orig_l3proto": "ipv4", "proto": 41}}},
	{"not rate > 0", "", []members{{"byte_rate": "!>0"}}},
	{"rate 1k-0.5m", "", []members{{"byte_rate": "1000-500000"}}},
	{"orig_rate 0.001k,10K", "", []members{{"orig_byte_rate": list(1, 10000)}}},
	{"timeout 1d2h3m4s,90", "", []members{{"timeout": list(93784, 90)}}},
	{"timeout 10s-5m", "", []members{{"timeout": "10-300"}}},
	{"start >= 2026-01-02T03:02:00Z", "", []members{{"start": ">=2026-01-02T03:02:00Z"}}},
	{"start < 2026-01-02T04:02:00+01:00", "", []members{{"start": "<2026-01-02T03:02:00Z"}}},
	{"icmp_type 8 or tcp_state established", "", []members{{"icmp_type": 8}, {"tcp_state": 3}}},
	{"labels 0x1 or secctx system_u:object_r:a_t:s0", "", []members{{"labels": "0x1"}, {"secctx": "system_u:object_r:a_t:s0"}}},
	{`helper "!sip","and","a\"b\\",ftp`, `helper "!sip","and","a\"b\\",ftp`, []members{{"helper": list("ftp", "a\"b\\", "and")}}},
	{`helper != "é é"`, `not helper "é é"`, []members{{"helper": "!é é"}}},
	{"repl_src 10.0.0.0/8 and repl_dport 22 and repl_sport 1-65535", "",
		[]members{{"repl_src": "10.0.0.0/8", "repl_port_dst": 22, "repl_port_src": "1-65535"}}},
	{"status 0x8/0x8 and use 1 and id > 5", "", []members{{"status": "0x8/0x8", "use": 1, "id": ">5"}}},
}

func TestExpr(t *testing.T) {
	s := randomRows(3000, 11)
	for _, c := range goodExprs {
		t.Run(c.text, func(t *testing.T) {
			f, err := ParseExpr(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.canon; f.Expr() != want && (want != "" || f.Expr() != c.text) {
				t.Errorf("canonical %q", f.Expr())
			}
			want := newBitmap(s.Len())
			for _, m := range c.same {
				one, err := CompileFilter(m)
				if err != nil {
					t.Fatal(err)
				}
				one.Run(s).Each(0, len(want), func(row int32) { want[row/64] |= 1 << (row % 64) })
			}
			if got := f.Run(s); !slices.Equal(got, want) {
				t.Errorf("%d rows, want %d", got.Count(), want.Count())
			}
			checkMatch(t, f, s)
			checkAgain(t, f)
		})
	}
}

// checkAgain reads the canonical form, which has to mean the same.
func checkAgain(t *testing.T, f *Filter) {
	t.Helper()
	again, err := ParseExpr(f.Expr())
	if err != nil || again.Expr() != f.Expr() || again.name != f.name {
		t.Errorf("%q read again is %q, %v", f.Expr(), again.Expr(), err)
	}
}

func TestExprFewRows(t *testing.T) {
	s := fewRows(t)
	for text, want := range map[string][]int32{
		"state established":                 {0, 4},
		"not state established":             {1, 2, 3},
		"state != established and tcp":      {3},
		"rate > 2k":                         {0},
		"not rate > 2k":                     {1, 2, 3, 4},
		"repl_bytes 5G":                     {0},
		"timeout > 4d23h":                   {0},
		"timeout < 5d":                      {0},
		"age 5s":                            {0},
		"port !22":                          {1, 2, 3, 4},
		"zone 7 or orig_zone 9":             {1, 4},
		"key " + s.Key(3):                   {3},
		"key " + s.Key(3) + "," + s.Key(0):  {0, 3},
		"tcp and not key " + s.Key(3):       {0},
		"sctp or udp and not helper sip":    {4},
		"host 192.0.2.1 and not (tcp)":      {2},
		"nat or (icmp and icmp_type 0-8)":   {2},
		"dport < 0":                         nil,
		"src 10.0.0.0/16,2001:db8::1":       {0, 1, 3, 4},
		"! src 10.0.0.0/8 && !dst 10.9.9.9": {3},
	} {
		f, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Rows(s); !slices.Equal(got, want) {
			t.Errorf("%s: rows %v, want %v", text, got, want)
		}
	}
}

// TestExprWithMembers: an expression holds together with the other members.
func TestExprWithMembers(t *testing.T) {
	s := fewRows(t)
	f, err := CompileFilter(members{"expr": "udp or tcp", "orig_src": "10.0.0.0/8", "port": "!22"})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Rows(s); !slices.Equal(got, []int32{1}) || f.Expr() != "proto udp or proto tcp" {
		t.Errorf("rows %v, expression %q", got, f.Expr())
	}
	half := slices.Repeat(list(1), MaxAlternatives)
	var bad *FilterError
	if _, err := CompileFilter(members{"expr": "tcp", "port": half}); !errors.As(err, &bad) {
		t.Errorf("one value too many: %v", err)
	}
}

func TestExprRefuses(t *testing.T) {
	long := strings.Repeat("é", expr.MaxLength/2)
	for _, c := range []struct {
		text   string
		column int
		says   string
	}{
		{"", 1, "expected a test"}, {"   ", 4, "expected a test"}, {"()", 2, "expected a test"},
		{"and", 1, "expected a test"}, {"tcp and", 8, "found the end"}, {"tcp and and udp", 9, `found "and"`},
		{"or tcp", 1, "expected a test"}, {"not", 4, "found the end"}, {"!", 2, "found the end"}, {"tcp or ,", 8, `found ","`},
		{"\"tcp\"", 1, "the text"}, {"= 5", 1, "expected a test"}, {"tcp not", 5, "before"}, {"(tcp", 5, `the "(" in column 1`},
		{"tcp)", 4, `there is no "("`}, {"(tcp or udp", 12, `expected ")"`}, {"tcp (udp)", 5, `before "("`},
		{"tcp and ((udp) or icmp and (port 22)", 37, `in column 9`},
		{"tcp port 22", 5, `write "and port"`}, {"tcp udp", 5, `write "and udp"`}, {"tcp !udp", 5, `before "!"`},
		{"tcp , udp", 5, `found ","`}, {"tcp = 5", 5, `found "="`}, {"tcp foo", 5, "or the end"},
		{"dport 80 443", 10, `commas: "80", "443"`}, {"dport 80 state established", 10, "and state"}, {`helper a "b c"`, 10, `"a", "b c"`}, {"dport != 80 443", 13, "commas"}, {"(dport 80) 443", 12, "or the end"},
		{"dport", 6, "a value of dport, found the end"}, {"dport and tcp", 7, `found "and"`}, {"dport = ", 9, "found the end"},
		{"dport 80,", 10, "found the end"}, {"dport ,80", 7, `found ","`}, {"dport 80,,443", 10, `found ","`},
		{"dport (80)", 7, `found "("`}, {"dport not 22", 7, "dport != …"}, {"dport > > 5", 9, `found ">"`}, {"dport >< 5", 8, `found "<"`},
		{"dport === 5", 9, `found "="`}, {"dport <> 5", 7, "!="}, {"dport => 5", 7, ">="}, {"dport =< 5", 7, "<="},
		{"rate > 1k,2k", 10, "one value"}, {"rate > 1k-2k", 8, "not a value"}, {"rate > ", 8, "found the end"},
		{"tcp & udp", 5, "&&"}, {"tcp | udp", 5, "||"}, {"dport {80}", 7, "without braces"}, {"helper 'ftp'", 8, "double"},
		{"tcp;udp", 4, "';'"}, {"tcp $", 5, "'$'"}, {"tcp \x01", 5, `'\x01'`}, {"tcp “udp”", 5, "'“'"}, {"tcp \xff", 5, "UTF-8"},
		{`helper "ftp`, 8, "no closing"}, {`helper "é\n"`, 11, `behind \`}, {"helper \"a\x1b\"", 10, "unexpected"},
		{"helper \"éé\u202e\"", 11, "unexpected"}, {"helper \"é\xff\"", 10, "UTF-8"}, {`helper ""`, 8, "empty"}, {`helper "a\`, 8, "no closing"},
		{"helper \"é\" foo", 12, "comma"}, {`helper ftp > sip`, 12, `found ">"`}, {"helper > ftp", 10, "no order"},
		{"foo 5", 1, `no name "foo"`}, {"dprot 5", 1, "did you mean dport?"}, {"tcp and sate established", 9, "did you mean state?"},
		{"bytes > 5", 1, "orig_bytes or repl_bytes"}, {"established", 1, `"state established"`}, {"10.0.0.1", 1, `"host 10.0.0.1"`},
		{"10.0.0.0/8", 1, `"src 10.0.0.0/8"`}, {"port 80 or 443", 12, `"port 443"`}, {"ospf", 1, `"proto ospf"`}, {"assurde", 1, "assured"},
		{strings.Repeat("x", 1000), 1, "no name"}, {"surname alice", 1, "no name"}, {"expr tcp", 1, "no name"},
		{"assured > 0", 9, "true or false"}, {"assured = maybe", 11, "expected true or false"}, {"assured 1", 9, `found "1"`},
		{"nat = ", 7, "expected true or false"}, {"assured = \"", 11, "no closing"},
		{"dport 65536", 7, "above 65535"}, {"dport 22,70000", 10, "above 65535"}, {"dport 30-20", 7, "wrong way"}, {"dport ssh", 7, "not a port"},
		{"dport 0x16", 7, "not a port"}, {"dport 1-2-3", 7, "not a value"}, {"dport :", 7, "empty"}, {"dport -1", 7, "not a value"},
		{`dport ">5"`, 7, "not a value"}, {"dport > 70000", 9, "above"}, {"dport 1k", 7, "not a port"}, {`zone ">5"`, 6, "not a value"},
		{"src 10.0.0.256", 5, "not an address"}, {"src 10.0.0.0/33", 5, "not an address"}, {"src > 10.0.0.1", 7, "no order"},
		{"src fe80::1%eth0", 5, "interface"}, {"src host.example", 5, "not an address"}, {"src host", 9, "a value of src"},
		{"dst 10.0.0.9-10.0.0.1", 5, "wrong way"}, {`src "port"`, 5, "not an address"}, {"state running", 7, "not a name"},
		{"state > established", 9, "no order"}, {"proto nosuch", 7, "not a value"}, {"proto > tcp", 9, "not a value"},
		{"mark 0x1/0x2", 6, "outside the mask"}, {"mark 1k", 6, "not a value"}, {"mark > 0x10/0xf0", 8, "not a value"},
		{"rate > 1.5", 8, "whole"}, {"rate > 1.0005k", 8, "whole"}, {"rate > 1.5kB", 8, "powers of 1000"}, {"rate > 1.k", 8, "powers"},
		{"rate > .5k", 8, "powers"}, {"rate > k", 8, "powers"}, {"rate > 1e3", 8, "powers"}, {"rate > +5", 8, "powers"}, {"rate > -5", 8, "powers"},
		{"rate > 18446744073709551616", 8, "powers"}, {"rate > 18446744073709552k", 8, "64 bits"}, {"rate > 18446744073.709551616G", 8, "64 bits"},
		{"rate > 1.00000000000000000001G", 8, "whole"}, {"rate 5k-1k", 6, "wrong way"}, {"rate 1k-", 6, "powers"},
		{"age > 5w", 7, "1h30m"}, {"age > 5M", 7, "1h30m"}, {"age > 30s5m", 7, "1h30m"}, {"age > 5m5m", 7, "1h30m"}, {"age > m", 7, "1h30m"},
		{"age > 1.5h", 7, "1h30m"}, {"age > 1h30", 7, "1h30m"}, {"age > 4294967295d", 7, "above"}, {"age > 4294967296d", 7, "1h30m"},
		{"start > yesterday", 9, "not a time"}, {"key k0", 5, "not a key"}, {"key > k0", 7, "no order"},
		{"tcp é" + long[:2000], 5, "unexpected"}, {"helper \"" + long + "\"", 8 + 1 + 2044, "more than 4096"},
		{strings.Repeat("!", expr.MaxDepth+1) + "tcp", expr.MaxDepth + 1, "inside each other"},
		{strings.Repeat("(", 2000), expr.MaxDepth + 1, "inside each other"},
		{strings.Repeat("nat or ", expr.MaxTests) + "nat", 7*expr.MaxTests + 1, "tests"},
		{strings.Repeat("udplite||", 60) + "dport " + strings.Repeat("1,", 1774) + "1", 4095 + 1, "written out"},
	} {
		t.Run(fmt.Sprintf("%.40q", c.text), func(t *testing.T) {
			_, err := ParseExpr(c.text)
			var bad *FilterError
			if !errors.As(err, &bad) {
				t.Fatalf("error %v", err)
			}
			if bad.Member != "expr" || bad.Column != c.column || !strings.Contains(bad.Reason.Error(), c.says) {
				t.Errorf("%v; want column %d, %q", err, c.column, c.says)
			}
			if !strings.Contains(err.Error(), fmt.Sprintf("expr: column %d: ", c.column)) || len(err.Error()) > 400 || !utf8.ValidString(err.Error()) {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestExprLimits(t *testing.T) {
	for name, text := range map[string]string{
		"depth":  strings.Repeat("(", expr.MaxDepth) + "tcp" + strings.Repeat(")", expr.MaxDepth),
		"tests":  strings.Repeat("nat or ", expr.MaxTests-1) + "nat",
		"length": "port 1" + strings.Repeat(",1", (expr.MaxLength-6)/2),
	} {
		if f, err := ParseExpr(text); err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			checkAgain(t, f)
		}
	}
}

func TestJoinExpr(t *testing.T) {
	for want, words := range map[string][]string{
		"":                            nil,
		"tcp and dport 80":            {"tcp", "and", "dport", "80"},
		"tcp and dport 80,443":        {"tcp and dport", "80,443"},
		"tcp and (udp or icmp)":       {"tcp", "and", "(udp or icmp)"},
		`helper "a b" and tcp`:        {"helper", "a b", "and", "tcp"},
		`helper != "a \"b"`:           {"helper", "!=", `a "b`},
		`SECCTX eq "a b"`:             {"SECCTX", "eq", "a b"},
		`helper "a b"`:                {"helper", `"a b"`},
		"dport 80, 443":               {"dport", "80, 443"},
		"not helper sip and port 22 ": {"not", "helper sip and", "port 22 "},
	} {
		if got := JoinExpr(words); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}
