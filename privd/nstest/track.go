// SPDX-License-Identifier: GPL-2.0-or-later

package nstest

import (
	"os"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// Track installs a rule that looks at the state of connections: the kernel tracks those
// of a network namespace from the first such rule on.
func Track(t testing.TB) {
	t.Helper()
	c, table := firewall(t)
	for _, hook := range []*nftables.ChainHook{nftables.ChainHookInput, nftables.ChainHookOutput} {
		chain := c.AddChain(&nftables.Chain{
			Name: "track" + string(rune('0'+*hook)), Table: table, Type: nftables.ChainTypeFilter,
			Hooknum: hook, Priority: nftables.ChainPriorityFilter,
		})
		c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Ct{Register: 1, Key: expr.CtKeySTATE},
		}})
	}
	if err := c.Flush(); err != nil {
		t.Fatalf("install tracking rule: %v", err)
	}
}

// Label installs a rule that would set labels of connections, though of none that there are: the
// kernel has room for labels only in connections that begin while there is such a rule
// (nf_conntrack_labels.c, nf_connlabels_get).
func Label(t testing.TB) {
	t.Helper()
	c, table := firewall(t)
	chain := c.AddChain(&nftables.Chain{
		Name: "label", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Immediate{Register: 1, Data: make([]byte, labelsSize)},
		&expr.Ct{Register: 1, Key: expr.CtKeyLABELS, SourceRegister: true},
	}})
	if err := c.Flush(); err != nil {
		t.Fatalf("install labelling rule: %v", err)
	}
}

// Redirect sends what this namespace sends to a port to another one of it (destination
// NAT), for the protocols that have ports where TCP has them.
func Redirect(t testing.TB, protocol uint8, from, to uint16) {
	t.Helper()
	c, table := firewall(t)
	chain := c.AddChain(&nftables.Chain{
		Name: "redirect", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest,
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(from)},
		&expr.Immediate{Register: 1, Data: binaryutil.BigEndian.PutUint16(to)},
		&expr.Redir{RegisterProtoMin: 1},
	}})
	if err := c.Flush(); err != nil {
		t.Fatalf("install redirection: %v", err)
	}
}

// Sysctl writes a value of /proc/sys/net/netfilter, such as nf_conntrack_acct.
func Sysctl(t testing.TB, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/netfilter/"+name, []byte(value), 0); err != nil {
		t.Fatalf("set sysctl: %v", err)
	}
}

func firewall(t testing.TB) (*nftables.Conn, *nftables.Table) {
	t.Helper()
	c, err := nftables.New()
	if err != nil {
		t.Fatalf("open nftables: %v", err)
	}
	return c, c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "nstest"})
}
