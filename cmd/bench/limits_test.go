// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"fmt"
	"io"
	"math/bits"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// childRestore makes the test binary the one that puts limits back.
const childRestore = "restore"

// limits are those of the whole machine that the largest table needs. The limit on root's
// namespace is that of all.
func limits(largest int) []limit {
	return []limit{
		{"/proc/sys/net/netfilter/nf_conntrack_max", largest + largest/5 + room},
		{"/sys/module/nf_conntrack/parameters/hashsize", 1 << bits.Len(uint(largest-1))},
	}
}

type limit struct {
	path string
	want int
}

// raiseLimits makes room for the largest table, where it may. The limits are put back when
// restore is called, and also when this process dies, however it does: another one waits
// for that.
func raiseLimits(largest int) (restore func(), err error) {
	var old []string // path=value
	for _, l := range limits(largest) {
		b, err := os.ReadFile(l.path)
		was := strings.TrimSpace(string(b))
		if now, e := strconv.Atoi(was); err != nil || e != nil || now >= l.want {
			continue
		}
		old = append(old, l.path+"="+was)
	}
	if len(old) == 0 {
		return func() {}, nil
	}
	cmd := exec.Command("/proc/self/exe", old...)
	cmd.Env = append(os.Environ(), childVariable+"="+childRestore)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for _, l := range limits(largest) {
		if strings.Contains(strings.Join(old, "\n"), l.path+"=") {
			if err := os.WriteFile(l.path, []byte(strconv.Itoa(l.want)), 0); err != nil {
				fmt.Fprintf(os.Stderr, "%s stays as it is: %v\n", l.path, err)
			}
		}
	}
	return func() {
		alive.Close()
		if err := cmd.Wait(); err != nil {
			fmt.Fprintf(os.Stderr, "put limits back: %v\n", err)
		}
	}, nil
}

// restoreLimits waits until nothing holds the other end of its standard input, and puts
// back what its arguments say.
func restoreLimits() int {
	io.Copy(io.Discard, os.Stdin)
	code := 0
	for _, setting := range os.Args[1:] {
		path, value, _ := strings.Cut(setting, "=")
		if now, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(now)) == value {
			continue // it could not be raised
		}
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			fmt.Fprintf(os.Stderr, "put %s back to %s: %v\n", path, value, err)
			code = 1
		}
	}
	return code
}
