// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const tasksFolder = "/proc/self/task"

// modeFilter is SECCOMP_MODE_FILTER as the status file shows it.
const modeFilter = "2"

// A Status says what /proc shows of the threads of this process.
type Status struct {
	Threads    int
	Filtered   int // those under a seccomp filter, be it ours or that of whoever started us
	NoNewPrivs int // those that can get no privileges by execve
}

// ReadStatus looks at every thread. One that ends meanwhile is not counted; one that
// starts meanwhile has what the thread has that started it.
func ReadStatus() (Status, error) {
	tasks, err := os.ReadDir(tasksFolder)
	if err != nil {
		return Status{}, fmt.Errorf("list threads: %w", err)
	}
	var s Status
	for _, task := range tasks {
		b, err := os.ReadFile(tasksFolder + "/" + task.Name() + "/status")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return Status{}, fmt.Errorf("read status of thread %s: %w", task.Name(), err)
		}
		s.add(string(b))
	}
	if s.Threads == 0 {
		return Status{}, errors.New("no thread to be seen in " + tasksFolder)
	}
	return s, nil
}

// add counts one status file, see proc_pid_status(5). A line that is missing, as in a
// kernel without seccomp, counts as not filtered.
func (s *Status) add(status string) {
	s.Threads++
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case key == "Seccomp" && value == modeFilter:
			s.Filtered++
		case key == "NoNewPrivs" && value == "1":
			s.NoNewPrivs++
		}
	}
}
