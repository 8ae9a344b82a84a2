// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const tasksFolder = "/proc/self/task"

// A state is what every thread has to be.
type state struct {
	uid, gid    uint32
	caps        uint64 // permitted and effective
	inheritable uint64
	account     *Account // whose groups, and no others, it has; nil: those it was started with
}

// assert reads the status of every thread. Threads that are started meanwhile have what
// the thread that starts them has.
func (s state) assert() error {
	tasks, err := os.ReadDir(tasksFolder)
	if err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	seen := 0
	for _, task := range tasks {
		b, err := os.ReadFile(tasksFolder + "/" + task.Name() + "/status")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return fmt.Errorf("read status of thread %s: %w", task.Name(), err)
		}
		if err := s.matches(string(b)); err != nil {
			return fmt.Errorf("thread %s: %w", task.Name(), err)
		}
		seen++
	}
	if seen == 0 {
		return errors.New("no thread to be seen in " + tasksFolder)
	}
	return nil
}

// matches compares one status file, see proc_pid_status(5). A line that is missing is
// an error: what is not shown cannot be trusted to be gone.
func (s state) matches(status string) error {
	lines := make(map[string]string)
	for line := range strings.Lines(status) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			lines[key] = strings.Join(strings.Fields(value), " ")
		}
	}
	four := func(id uint32) string { // real, effective, saved, file system
		n := strconv.FormatUint(uint64(id), 10)
		return n + " " + n + " " + n + " " + n
	}
	set := func(b uint64) string { return fmt.Sprintf("%016x", b) }
	for _, want := range [...]struct{ key, value string }{
		{"Uid", four(s.uid)}, {"Gid", four(s.gid)},
		{"CapInh", set(s.inheritable)}, {"CapPrm", set(s.caps)}, {"CapEff", set(s.caps)}, {"CapAmb", set(0)},
		{"NoNewPrivs", "1"},
	} {
		if got := lines[want.key]; got != want.value {
			return fmt.Errorf("%s is %q, want %q", want.key, got, want.value)
		}
	}
	return s.matchGroups(lines)
}

// matchGroups compares supplementary groups.
func (s state) matchGroups(lines map[string]string) error {
	if s.account == nil {
		return nil
	}
	shown, ok := lines["Groups"]
	if !ok {
		return errors.New("no line with groups")
	}
	var got []int
	for _, field := range strings.Fields(shown) {
		id, err := strconv.ParseUint(field, 10, 32)
		if err != nil {
			return fmt.Errorf("groups are %q: %w", shown, err)
		}
		got = append(got, int(id))
	}
	want := slices.Clone(s.account.Groups)
	slices.Sort(got)
	slices.Sort(want)
	if got, want = slices.Compact(got), slices.Compact(want); !slices.Equal(got, want) {
		return fmt.Errorf("groups are %v, want %v", got, want)
	}
	return nil
}
