// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"

	"nuconntrack/ipc"
)

// differs decodes one message with ti-mo/conntrack too, and says where a row and its
// flow do not agree.
func differs(m msg, s *Snapshot, row int32) string {
	var ev conntrack.Event
	nlm := netlink.Message{Header: netlink.Header{
		Length: uint32(len(m)), Type: netlink.HeaderType(binary.NativeEndian.Uint16(m[4:])),
	}, Data: m[nlHeaderSize:]}
	if err := ev.Unmarshal(nlm); err != nil {
		return "the other decoder: " + err.Error()
	}
	f, has := ev.Flow, s.has[row]
	u := s.Target(row)
	want := ipc.Target{Family: m[nlHeaderSize], Protocol: f.TupleOrig.Proto.Protocol, ID: f.ID,
		Orig: flowTuple(f.TupleOrig, has&hasOrigPorts != 0), Reply: flowTuple(f.TupleReply, has&hasReplPorts != 0)}
	if f.Zone != 0 {
		want.Orig.Zone, want.Reply.Zone = f.Zone, f.Zone
	}
	var state uint8
	switch p := f.ProtoInfo; {
	case p.TCP != nil:
		state = p.TCP.State
	case p.SCTP != nil:
		state = p.SCTP.State
	case p.DCCP != nil:
		state = p.DCCP.State
	}
	var start uint64
	if !f.Timestamp.Start.IsZero() {
		start = uint64(f.Timestamp.Start.UnixNano())
	}
	helper, secctx := "", ""
	if has&hasHelper != 0 {
		helper = s.names[s.helper[row]]
	}
	if has&hasSecctx != 0 {
		secctx = s.names[s.secctx[row]]
	}
	for _, d := range []struct {
		field     string
		got, want any
	}{
		{"target", u, want}, {"status", s.status[row], uint32(f.Status)}, {"timeout", s.timeout[row], f.Timeout},
		{"mark", s.mark[row], f.Mark}, {"use", s.use[row], f.Use}, {"state", s.state[row], state},
		{"orig packets", s.counter[origPackets][row], f.CountersOrig.Packets}, {"orig bytes", s.counter[origBytes][row], f.CountersOrig.Bytes},
		{"reply packets", s.counter[replPackets][row], f.CountersReply.Packets}, {"reply bytes", s.counter[replBytes][row], f.CountersReply.Bytes},
		{"start", s.start[row], start}, {"helper", helper, strings.TrimRight(f.Helper.Name, "\x00")},
		{"secctx", secctx, strings.TrimRight(string(f.SecurityContext), "\x00")},
		{"labels", has&hasLabels != 0, strings.Trim(string(f.Labels), "\x00") != ""},
	} {
		if d.got != d.want {
			return fmt.Sprintf("%s is %v, the other decoder says %v", d.field, d.got, d.want)
		}
	}
	return ""
}

func flowTuple(f conntrack.Tuple, ports bool) ipc.Tuple {
	u := ipc.Tuple{Src: f.IP.SourceAddress, Dst: f.IP.DestinationAddress, Zone: f.Zone}
	switch {
	case f.Proto.ICMPv4, f.Proto.ICMPv6:
		u.Kind, u.SrcPort, u.DstPort = ipc.ICMP, f.Proto.ICMPID, uint16(f.Proto.ICMPType)<<8|uint16(f.Proto.ICMPCode)
	case ports:
		u.Kind, u.SrcPort, u.DstPort = ipc.Ports, f.Proto.SourcePort, f.Proto.DestinationPort
	}
	return u
}

// randomConn is a connection of any kind with any of the attributes that the kernel sends.
func randomConn(r *rand.Rand) msg {
	hosts := [][]string{{"192.0.2.1", "198.51.100.2"}, {"2001:db8::1", "::ffff:192.0.2.1"}}[r.IntN(2)]
	protos := []uint8{6, 17, 47, 132, protoICMP, protoICMPv6, 99, 0, 255}
	u := target(protos[r.IntN(len(protos))], hosts[0], hosts[1], r.IntN(1<<16))
	u.ID = r.Uint32()
	if r.IntN(2) == 0 {
		u.Reply.Dst = netip.MustParseAddr(hosts[0]).Next()
	}
	if u.Reply.Kind == ipc.Ports {
		u.Reply.DstPort = uint16(r.Uint32())
	}
	zone := uint16(1 + r.IntN(65535))
	switch r.IntN(4) {
	case 1:
		u.Orig.Zone, u.Reply.Zone = zone, zone
	case 2:
		u.Orig.Zone = zone
	case 3:
		u.Reply.Zone = zone
	}
	labels := make([]byte, maxLabels)
	labels[r.IntN(maxLabels)] = byte(r.IntN(256))
	state := attr(ctaProtoinfoState, byte(r.IntN(12)))
	all := []msg{
		attr32(ctaStatus, r.Uint32()), attr32(ctaTimeout, r.Uint32()), attr32(ctaMark, r.Uint32()), attr32(ctaUse, r.Uint32()),
		counters(r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()), started(time.Unix(0, r.Int64())),
		nest(ctaHelp, attrText(ctaHelpName, []string{"ftp", "sip", "netbios-ns"}[r.IntN(3)])),
		nest(ctaSecctx, attrText(ctaSecctxName, "system_u:object_r:http_t:s0")), attr(ctaLabels, labels...),
		nest(ctaProtoinfo, nest([]uint16{ctaProtoinfoTCP, ctaProtoinfoSCTP, ctaProtoinfoDCCP}[r.IntN(3)], state)),
		nest(14, tupleAttr(ctaTupleOrig, 6, u.Orig, false)[attrHeaderSize:]), // CTA_TUPLE_MASTER
		nest(24, attr32(1, 0), attr32(2, 0), attr32(3, 0)),                   // CTA_SYNPROXY
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return conn(u, all[:r.IntN(len(all)+1)]...)
}

func TestDecodeAgainstOtherDecoder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 20000 {
		m := randomConn(r)
		s := build(t, m)
		if s.Len() != 1 {
			t.Fatalf("message %d is malformed: %x", i, []byte(m))
		}
		if d := differs(m, s, 0); d != "" {
			t.Errorf("message %d: %s", i, d)
		}
	}
}

const protoUDPlite = 136

const inNamespace = "NUCONNTRACK_TABLE_TEST_NAMESPACE"

// TestDecodeKernel decodes what the kernel itself sends, in user and network namespaces
// of its own, so that it needs no root and touches nobody's connections.
func TestDecodeKernel(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestDecodeKernel$", "-test.v")
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("in a namespace: %v\n%s", err, out)
		}
		return
	}
	for _, name := range []string{"acct", "timestamp"} {
		if err := os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_"+name, []byte("1"), 0); err != nil {
			t.Fatal(err)
		}
	}
	want := createFlows(t)
	s, messages := dumpKernel(t)
	if s.Len() != len(want) || s.Malformed() != 0 || s.Repeated() != 0 {
		t.Errorf("%d connections, %d malformed, %d repeated; want %d", s.Len(), s.Malformed(), s.Repeated(), len(want))
	}
	for row, m := range messages {
		if d := differs(m, s, int32(row)); d != "" {
			t.Errorf("row %d: %s", row, d)
		}
		// On Linux 6.18 a dump has marks of 0 too, and counters once they are on.
		const all = hasID | hasStatus | hasTimeout | hasMark | hasUse | hasOrigCounters | hasReplCounters | hasStart
		if s.has[row]&all != all {
			t.Errorf("row %d has %#x, want at least %#x", row, s.has[row], all)
		}
		u := s.Target(int32(row))
		if u.ID == 0 || u.Check() != nil {
			t.Errorf("row %d cannot be named to the helper: %+v", row, u)
		}
		u.ID = 0
		delete(want, u)
	}
	for u := range want {
		t.Errorf("not in the table: %+v", u)
	}
}

// createFlows makes connections through ctnetlink, and gives their targets without ids.
func createFlows(t *testing.T) map[ipc.Target]bool {
	t.Helper()
	c, err := conntrack.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	made := make(map[ipc.Target]bool)
	n := 0
	for family, dst := range map[int]string{ipc.FamilyIPv4: "192.0.2.254", ipc.FamilyIPv6: "2001:db8::254"} {
		for _, proto := range []uint8{6, 17, 47, 99, 132, protoUDPlite, protoICMP, protoICMPv6} {
			for zone := range uint16(4) {
				if family == ipc.FamilyIPv4 && proto == protoICMPv6 || family == ipc.FamilyIPv6 && proto == protoICMP {
					continue
				}
				// Those in a zone of one direction share the default one in the other.
				n++
				src := strings.TrimSuffix(dst, "254") + fmt.Sprint(n)
				u := target(proto, src, dst, n)
				if proto == protoUDPlite {
					u = target(17, src, dst, n)
					u.Protocol = protoUDPlite
				}
				if proto == protoICMPv6 {
					u.Orig.DstPort, u.Reply.DstPort = 128<<8, 129<<8
				}
				u.ID = 0
				f := conntrack.NewFlow(proto, 0, u.Orig.Src, u.Orig.Dst, u.Orig.SrcPort, u.Orig.DstPort, 600, uint32(n%3))
				for dir, v := range []*conntrack.Tuple{&f.TupleOrig, &f.TupleReply} {
					w := []ipc.Tuple{u.Orig, u.Reply}[dir]
					v.Proto.ICMPv4, v.Proto.ICMPv6 = proto == protoICMP, proto == protoICMPv6
					v.Proto.ICMPID, v.Proto.ICMPType, v.Proto.ICMPCode = w.SrcPort, w.ICMPType(), w.ICMPCode()
				}
				switch zone {
				case 1:
					f.Zone, u.Orig.Zone, u.Reply.Zone = 1, 1, 1
				case 2:
					f.TupleOrig.Zone, u.Orig.Zone = 2, 2
				case 3:
					f.TupleReply.Zone, u.Reply.Zone = 3, 3
				}
				if err := c.Create(f); err != nil {
					t.Fatalf("create %+v: %v", u, err)
				}
				made[u] = true
			}
		}
	}
	return made
}

// dumpKernel reads the namespace's table as the helper relays it.
func dumpKernel(t *testing.T) (*Snapshot, []msg) {
	t.Helper()
	c, err := netlink.Dial(syscall.NETLINK_NETFILTER, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const getConnections = nlTypeNew + 1
	answers, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: getConnections, Flags: netlink.Request | netlink.Dump},
		Data:   []byte{0, 0, 0, 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	var messages []msg
	for _, a := range answers {
		m, err := a.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	return build(t, messages...), messages
}
