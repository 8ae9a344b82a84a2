// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// Where things are in struct seccomp_data (linux/seccomp.h), on a little-endian machine.
const (
	numberOffset   = 0
	archOffset     = 4
	argumentOffset = 16 // six of 64 bits
)

// maxProgram is BPF_MAXINSNS of linux/bpf_common.h.
const maxProgram = 4096

// maxJump is how far a conditional jump reaches.
const maxJump = math.MaxUint8

// An argument is a condition on all 64 bits of an argument: those of mask are as in value.
// Where the kernel looks at 32 bits only, the others have to be zero all the same.
type argument struct {
	index       int // 0 to 5
	mask, value uint64
}

// A rule allows one system call.
type rule struct {
	number uint32
	// when holds alternatives; of one of them all arguments must fit. None: always.
	when [][]argument
}

// assemble makes the program. Each rule is a block that is jumped over as a whole, or
// else ends the program, so that the accumulator holds the number until one fits.
func assemble(m machine, rules []rule) ([]unix.SockFilter, error) {
	p := []unix.SockFilter{
		load(archOffset),
		jump(unix.BPF_JEQ, m.audit, 1, 0),
		verdict(unix.SECCOMP_RET_KILL_PROCESS),
		load(numberOffset),
	}
	if m.foreign != 0 {
		p = append(p,
			jump(unix.BPF_JSET, m.foreign, 0, 1),
			verdict(unix.SECCOMP_RET_KILL_PROCESS))
	}
	for _, r := range rules {
		block := r.block()
		if len(block) > maxJump {
			return nil, fmt.Errorf("build seccomp filter: %d instructions for call %d, at most %d", len(block), r.number, maxJump)
		}
		p = append(p, jump(unix.BPF_JEQ, r.number, 0, uint8(len(block))))
		p = append(p, block...)
	}
	p = append(p, verdict(unix.SECCOMP_RET_KILL_PROCESS))
	if len(p) > maxProgram {
		return nil, fmt.Errorf("build seccomp filter: %d instructions, at most %d", len(p), maxProgram)
	}
	return p, nil
}

// block is what runs when the number fits: it always ends the program.
func (r rule) block() []unix.SockFilter {
	if len(r.when) == 0 {
		return []unix.SockFilter{verdict(unix.SECCOMP_RET_ALLOW)}
	}
	var block []unix.SockFilter
	for _, all := range r.when {
		block = append(block, conjunction(all)...)
	}
	return append(block, verdict(unix.SECCOMP_RET_KILL_PROCESS))
}

// conjunction allows the call when all arguments fit, and else runs into what follows it.
func conjunction(all []argument) []unix.SockFilter {
	var code []unix.SockFilter
	for _, a := range all {
		offset := uint32(argumentOffset + 8*a.index)
		code = append(code, compare(offset+4, uint32(a.mask>>32), uint32(a.value>>32))...)
		code = append(code, compare(offset, uint32(a.mask), uint32(a.value))...)
	}
	code = append(code, verdict(unix.SECCOMP_RET_ALLOW))
	for i := range code {
		if code[i].Code == unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K {
			code[i].Jf = uint8(len(code) - i - 1)
		}
	}
	return code
}

// compare goes on when the bits of mask are as in value; where it jumps to if they are
// not is for the caller to say.
func compare(offset, mask, value uint32) []unix.SockFilter {
	switch mask {
	case 0:
		return nil
	case math.MaxUint32:
		return []unix.SockFilter{load(offset), jump(unix.BPF_JEQ, value, 0, 0)}
	}
	and := unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: mask}
	return []unix.SockFilter{load(offset), and, jump(unix.BPF_JEQ, value, 0, 0)}
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

// jump skips so many instructions when the test holds, and when it does not.
func jump(test uint16, k uint32, holds, fails uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: holds, Jf: fails, K: k}
}

func verdict(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}
