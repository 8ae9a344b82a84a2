// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

const (
	// maxLog is the size of a daemon's log, in bytes. A demo may run for weeks.
	maxLog = 8 << 20
	// maxTail is how much of its end is quoted when a daemon dies, in bytes.
	maxTail = 2 << 10
)

// logFile is a file that starts from its beginning again when it is full.
type logFile struct {
	mu   sync.Mutex // guards all below
	file *os.File
	size int
	last []byte // at most maxTail
}

func openLog(path string) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &logFile{file: f}, nil
}

func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, b...)
	if over := len(l.last) - maxTail; over > 0 {
		l.last = append(l.last[:0], l.last[over:]...)
	}
	if l.size+len(b) > maxLog {
		if err := l.file.Truncate(0); err != nil {
			return 0, fmt.Errorf("empty log: %w", err)
		}
		l.size = 0
	}
	n, err := l.file.Write(b)
	l.size += n
	return n, err
}

// tail returns the end of what was written.
func (l *logFile) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimSpace(strings.ToValidUTF8(string(l.last), "?"))
	if text == "" {
		return "it wrote nothing"
	}
	return "\n" + text
}

func (l *logFile) Close() error { return l.file.Close() }
