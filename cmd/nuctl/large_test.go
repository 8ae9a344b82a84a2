// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// memoryBound is what an export may take at its peak, whatever the size of the table, bytes.
const memoryBound = 96 << 20

// largeServer gives a table of so many rows with every field, made as they are asked for, and
// looks at the memory of the process that asks.
type largeServer struct {
	rows int
	pid  int           // of nuctl
	runs chan struct{} // closed when pid is known
	peak atomic.Int64  // bytes
}

func (s *largeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		Method string  `xml:"methodName"`
		Params []value `xml:"params>param>value"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	b := bufio.NewWriter(w)
	defer b.Flush()
	fmt.Fprint(b, "<methodResponse><params><param><value>")
	defer fmt.Fprint(b, "</value></param></params></methodResponse>")
	if call.Method != "view" {
		fmt.Fprint(b, "<string>Session1</string>")
		return
	}
	s.look()
	start, length := call.Params[4].plain().(int), call.Params[5].plain().(int)
	fmt.Fprintf(b, "<struct><member><name>total</name><value><int>%[1]d</int></value></member><member><name>count</name><value><int>%[1]d</int></value></member>"+
		"<member><name>snapshot</name><value><string>snap1</string></value></member><member><name>table</name><value><array><data>", s.rows)
	for i := start; i < min(start+length, s.rows); i++ {
		row := whole(fewRows()[0])
		row["id"] = strconv.Itoa(i)
		b.WriteString(encode(row))
	}
	fmt.Fprint(b, "</data></array></value></member></struct>")
}

// look reads the peak of the process's resident memory (VmHWM of proc(5)).
func (s *largeServer) look() {
	<-s.runs
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
			s.peak.Store(max(s.peak.Load(), n<<10))
		}
	}
}

// exportOf exports a table of so many rows and gives the peak of nuctl's memory, in bytes.
func exportOf(t *testing.T, rows int) int64 {
	t.Helper()
	s := &largeServer{rows: rows, runs: make(chan struct{})}
	server := httptest.NewServer(s)
	defer server.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "table")
	cmd := exec.Command(self)
	cmd.Args = []string{"nuctl", "export", "--server", server.URL, "--file", file}
	cmd.Env = []string{"HOME=" + t.TempDir()}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	close(s.runs)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	t.Logf("%d rows: %v of processor time, peak %d MB", rows, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), s.peak.Load()>>20)
	data, err := os.ReadFile(file)
	if lines := bytes.Count(data, []byte("\n")); err != nil || lines != rows {
		t.Errorf("%d lines, %v, want %d", lines, err, rows)
	}
	if s.peak.Load() == 0 {
		t.Fatal("nobody looked at the memory")
	}
	return s.peak.Load()
}

// TestExportTakesConstantMemory: what is written is let go. With NUCTL_EXPORT_ROWS the larger table
// has so many rows.
func TestExportTakesConstantMemory(t *testing.T) {
	rows := 10_000
	if text := os.Getenv("NUCTL_EXPORT_ROWS"); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	few, many := exportOf(t, 1_000), exportOf(t, rows)
	if many > memoryBound {
		t.Errorf("%d rows take %d MB, 1000 take %d MB", rows, many>>20, few>>20)
	}
}
