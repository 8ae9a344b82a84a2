// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	amd64Audit, arm64Audit, i386Audit = 0xc000003e, 0xc00000b7, 0x40000003
	allowed, killed                   = 0x7fff0000, 0x80000000
)

var audits = map[string]uint32{"amd64": amd64Audit, "arm64": arm64Audit}

// interpreter runs a program in x/net's virtual machine, which loads big-endian words:
// each word of struct seccomp_data is written for it in that order of bytes.
type interpreter struct {
	t    *testing.T
	vm   *bpf.VM
	data [64]byte
}

func newInterpreter(t *testing.T, program []unix.SockFilter) *interpreter {
	t.Helper()
	var raw []bpf.RawInstruction
	for _, i := range program {
		raw = append(raw, bpf.RawInstruction{Op: i.Code, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	instructions, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("the program has instructions that are none")
	}
	vm, err := bpf.NewVM(instructions)
	if err != nil {
		t.Fatal(err)
	}
	return &interpreter{t: t, vm: vm}
}

func (i *interpreter) run(audit, number uint32, a arguments) uint32 {
	binary.BigEndian.PutUint32(i.data[0:], number)
	binary.BigEndian.PutUint32(i.data[4:], audit)
	for n, v := range a {
		binary.BigEndian.PutUint32(i.data[16+8*n:], uint32(v))
		binary.BigEndian.PutUint32(i.data[20+8*n:], uint32(v>>32))
	}
	verdict, err := i.vm.Run(i.data[:])
	if err != nil {
		i.t.Fatal(err)
	}
	return uint32(verdict)
}

func (i *interpreter) want(pass bool, audit, number uint32, a arguments, name string) {
	i.t.Helper()
	want := uint32(killed)
	if pass {
		want = allowed
	}
	if got := i.run(audit, number, a); got != want {
		i.t.Fatalf("arch %#x, call %#x %s, arguments %#x: verdict %#x, want %#x", audit, number, name, a, got, want)
	}
}

// values are what an argument is tried with: everything the filter knows, each bit
// alone and beside what is allowed, and neighbours.
func values() []uint64 {
	all := []uint64{0, ^uint64(0), testPID, testPID - 1, testPID | 1<<32, ^uint64(testPID) + 1,
		3, 5, 6, 7, 12, 14, 15, 17, 19, 20, 21, 22, 25, 0xffffffff, 0xffffff9c,
		128, 129, 130, 140, 265, 1030, 1031, 0x53564d41, 0x53564d42, 0xd0f00, 0x50f00, 0xd0f11, 0x10f00,
		1<<64 - 100, 1<<64 - 101, 0x22, 0x32, 0x28, 0x21, 0x4022, 0o2000000 | 0o4000 | 0o400, 3 | 0o2004000}
	for bit := range 64 {
		all = append(all, 1<<bit, 3|1<<bit, 0x22|1<<bit, 16|1<<bit, 12|1<<bit)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestProgramAllowsExactlyThis(t *testing.T) {
	for arch, m := range machines {
		for _, remove := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remove socket %t", arch, remove), func(t *testing.T) {
				program, err := assemble(m, rules(m, Config{RemoveSocket: remove}, testPID))
				if err != nil {
					t.Fatal(err)
				}
				checkProgram(t, newInterpreter(t, program), arch, remove)
			})
		}
	}
}

func checkProgram(t *testing.T, i *interpreter, arch string, remove bool) {
	numbers, names := systemCalls(t, arch), make(map[uint32]string)
	conditional := make(map[uint32]check)
	for _, name := range free {
		names[numbers[name]] = name
	}
	add := func(from map[string]check) {
		for name, c := range from {
			conditional[numbers[name]], names[numbers[name]] = c, name
		}
	}
	add(checked)
	if remove {
		add(removes)
	}
	if want := len(free) + len(checked); len(names) < want {
		t.Fatalf("%d of %d names have a number", len(names), want)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for number := range uint32(2048) {
		for range 8 {
			a := someArguments(random)
			_, known := names[number]
			if c, ok := conditional[number]; ok {
				known = c.passes(arch, a)
			}
			i.want(known, audits[arch], number, a, names[number])
			for _, foreign := range []uint32{0, i386Audit, ^audits[arch], otherAudit(arch)} {
				i.want(false, foreign, number, a, names[number])
			}
			for bit := 11; bit < 32; bit++ { // x32, and whatever else there may be
				i.want(false, audits[arch], number|1<<bit, a, names[number])
			}
		}
	}
	for number, c := range conditional {
		passed := 0
		combinations(c.uses, func(set arguments) {
			a := someArguments(random)
			for _, n := range c.uses {
				a[n] = set[n]
			}
			if c.passes(arch, a) {
				passed++
			}
			i.want(c.passes(arch, a), audits[arch], number, a, names[number])
		})
		if passed == 0 {
			t.Errorf("%s was never to pass: the values tried are too few", names[number])
		}
	}
}

func otherAudit(arch string) uint32 {
	if arch == "amd64" {
		return arm64Audit
	}
	return amd64Audit
}

func someArguments(random *rand.Rand) (a arguments) {
	for n := range a {
		a[n] = random.Uint64() >> random.IntN(64)
	}
	return a
}

// combinations gives each of the named arguments every value in turn, while the others
// have those that some call allows.
func combinations(uses []int, do func(arguments)) {
	every := values()
	few := []uint64{0, 1, 2, 3, 12, 16, 17, 20, 0x22, 0x53564d41, 1<<64 - 100, 3 | 0o2000000}
	for _, full := range uses {
		var fill func(a arguments, left []int)
		fill = func(a arguments, left []int) {
			if len(left) == 0 {
				do(a)
				return
			}
			choice := few
			if left[0] == full {
				choice = every
			}
			for _, v := range choice {
				a[left[0]] = v
				fill(a, left[1:])
			}
		}
		fill(arguments{}, uses)
	}
}

func TestAssembleRefuses(t *testing.T) {
	long := rule{number: 1}
	for range 60 {
		long.when = append(long.when, all(is(0, 1)))
	}
	many := make([]rule, maxProgram)
	for name, list := range map[string][]rule{"a block beyond the reach of a jump": {long}, "too many rules": many} {
		if _, err := assemble(machines["amd64"], list); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestProgramIsOfThisProcess(t *testing.T) {
	program, err := Program(Config{})
	if err != nil {
		t.Fatal(err)
	}
	i, pid := newInterpreter(t, program), uint64(unix.Getpid())
	audit := machines[runtime.GOARCH].audit
	i.want(true, audit, unix.SYS_TGKILL, arguments{pid, pid, 23}, "tgkill")
	i.want(false, audit, unix.SYS_TGKILL, arguments{pid + 1, pid, 23}, "tgkill")
}
