// SPDX-License-Identifier: GPL-2.0-or-later

package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/table/store"
	"nuconntrack/ipc"
)

type stats func(context.Context) (ipc.Stats, error)

func answering(context.Context) (ipc.Stats, error) {
	return ipc.Stats{Known: ipc.StatCount | ipc.StatMax, Count: 3, Max: 65536}, nil
}

func counted(ask stats) *Metrics {
	return New(Config{
		Version: "v1.2.3", Methods: []string{"login", "view"}, LoginResults: []string{"ok", "denied"},
		Actions: []string{"kill"}, Outcomes: []string{"killed", "gone"}, Codes: []int{1, -32601},
		Stats:       ask,
		Sessions:    func() int { return 7 },
		Connections: func() listen.Counts { return listen.Counts{Open: 2, Accepted: 9, Evicted: 1, Refused: 4} },
		HostAllowed: func(name string) bool { return name == "firewall.example" },
		Log:         slog.New(slog.DiscardHandler),
	})
}

func get(m *Metrics, path string, change func(*http.Request)) (status int, body string) {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9580"+path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	b, _ := io.ReadAll(w.Result().Body) // a recorder's body does not fail
	return w.Code, string(b)
}

// want looks for whole lines of what a scrape gives.
func want(t *testing.T, scrape string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+scrape, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, ours(scrape))
		}
	}
}

// ours are the lines without those about Go and the process.
func ours(scrape string) string {
	var b strings.Builder
	for line := range strings.Lines(scrape) {
		if strings.HasPrefix(line, prefix) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestScrape(t *testing.T) {
	m := counted(answering)
	m.Login("ok")
	m.Login("denied")
	m.Login("denied")
	m.Acted("kill", "killed", 5)
	m.Called("view", 0, 3*time.Millisecond)
	m.Called("login", 1, time.Second)
	m.Paged(2 * time.Millisecond)
	status, body := get(m, "/metrics", nil)
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	want(t, body,
		`nuconntrack_logins_total{result="ok"} 1`, `nuconntrack_logins_total{result="denied"} 2`,
		`nuconntrack_actions_total{action="kill",outcome="killed"} 5`, `nuconntrack_actions_total{action="kill",outcome="gone"} 0`,
		`nuconntrack_request_duration_seconds_bucket{method="view",le="0.005"} 1`,
		`nuconntrack_request_duration_seconds_count{method="login"} 1`,
		`nuconntrack_page_duration_seconds_count 1`,
		`nuconntrack_faults_total{code="1"} 1`, `nuconntrack_faults_total{code="other"} 0`,
		"nuconntrack_helper_up 1", "nuconntrack_kernel_connections 3", "nuconntrack_kernel_connections_limit 65536",
		"nuconntrack_sessions 7", "nuconntrack_client_connections 2", "nuconntrack_client_connections_accepted_total 9",
		"nuconntrack_client_connections_evicted_total 1", "nuconntrack_client_connections_refused_total 4",
		`nuconntrack_table_reads_total{result="ok"} 0`,
	)
	if !strings.Contains(body, `version="v1.2.3"`) || !strings.Contains(body, "go_goroutines") || !strings.Contains(body, "process_resident_memory_bytes") {
		t.Error("nothing about the program itself")
	}
	// What is not known is not said: nobody has looked at a table.
	for _, absent := range []string{"nuconntrack_connections{", "nuconntrack_table_age_seconds"} {
		if strings.Contains(body, absent) {
			t.Errorf("%s before a table was read", absent)
		}
	}
}

func TestTable(t *testing.T) {
	h := &helpertest.Helper{}
	for i, row := range []struct {
		proto, state uint8
		src          string
	}{{6, 3, "192.0.2.1"}, {6, 3, "192.0.2.2"}, {6, 7, "192.0.2.3"}, {17, 0, "192.0.2.4"}, {6, 3, "[2001:db8::1]"}} {
		dst := "192.0.2.99:80"
		if strings.HasPrefix(row.src, "[") {
			dst = "[2001:db8::99]:80"
		}
		c := helpertest.Port(row.proto, uint32(i+1), row.src+":1000", dst)
		c.TCPState = row.state
		h.Add(c)
	}
	m := counted(answering)
	store := store.New(store.Config{Source: h, Read: m.Read})
	if _, err := store.Fresh(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	_, body := get(m, "/metrics", nil)
	want(t, body,
		`nuconntrack_connections{family="ipv4",protocol="tcp",state="ESTABLISHED"} 2`,
		`nuconntrack_connections{family="ipv4",protocol="tcp",state="TIME_WAIT"} 1`,
		`nuconntrack_connections{family="ipv4",protocol="udp",state=""} 1`,
		`nuconntrack_connections{family="ipv6",protocol="tcp",state="ESTABLISHED"} 1`,
		`nuconntrack_table_reads_total{result="ok"} 1`, `nuconntrack_table_reads_total{result="failed"} 0`,
		`nuconntrack_table_read_duration_seconds_count 1`,
	)
	for range 10 {
		get(m, "/metrics", nil)
	}
	if n := h.Dumps(); n != 1 {
		t.Errorf("scrapes read the table: %d times", n)
	}
	h.SetAway(true)
	if _, err := store.Fresh(t.Context(), time.Now()); err == nil {
		t.Fatal("read without a helper")
	}
	_, body = get(m, "/metrics", nil)
	want(t, body, `nuconntrack_table_reads_total{result="failed"} 1`,
		`nuconntrack_connections{family="ipv4",protocol="tcp",state="ESTABLISHED"} 2`)
}

// TestSeriesAreBounded: whatever comes in, there are no more series than after the start.
func TestSeriesAreBounded(t *testing.T) {
	m := counted(answering)
	_, body := get(m, "/metrics", nil)
	before := strings.Count(ours(body), "\n")
	for i := range 5000 {
		odd := fmt.Sprintf("x\"\n%d\x00é", i)
		m.Login(odd)
		m.Acted(odd, odd, 1)
		m.Acted("kill", odd, 1)
		m.Called(odd, i, 0)
	}
	status, body := get(m, "/metrics", nil)
	if after := strings.Count(ours(body), "\n"); after != before || status != http.StatusOK {
		t.Errorf("%d series became %d, status %d", before, after, status)
	}
	want(t, body, `nuconntrack_logins_total{result="other"} 5000`, `nuconntrack_actions_total{action="other",outcome="other"} 5000`,
		`nuconntrack_actions_total{action="kill",outcome="other"} 5000`, `nuconntrack_request_duration_seconds_count{method="other"} 5000`)
}

func TestWhatIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		path   string
		change func(*http.Request)
		status int
	}{
		"health":                {"/healthz", nil, http.StatusOK},
		"a listed name":         {"/healthz", func(r *http.Request) { r.Host = "firewall.example:9580" }, http.StatusOK},
		"HEAD":                  {"/metrics", func(r *http.Request) { r.Method = http.MethodHead }, http.StatusOK},
		"POST":                  {"/metrics", func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		"a made-up method":      {"/metrics", func(r *http.Request) { r.Method = "BREW" }, http.StatusMethodNotAllowed},
		"a rebound name":        {"/metrics", func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
		"a rebound name, ready": {"/readyz", func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
		"no name":               {"/metrics", func(r *http.Request) { r.Host = "" }, http.StatusMisdirectedRequest},
		"another path":          {"/", nil, http.StatusNotFound},
		"the calls":             {"/RPC2", nil, http.StatusNotFound},
		"pprof":                 {"/debug/pprof/", nil, http.StatusNotFound},
		"below metrics":         {"/metrics/x", nil, http.StatusNotFound},
		"a path to be mended":   {"//metrics", nil, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := get(counted(answering), test.path, test.change); status != test.status {
				t.Errorf("status %d, want %d: %s", status, test.status, body)
			}
		})
	}
}

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		var away atomic.Bool
		m := counted(func(ctx context.Context) (ipc.Stats, error) {
			asked.Add(1)
			if away.Load() {
				return ipc.Stats{}, errors.New("secret path: refused")
			}
			return answering(ctx)
		})
		for range 100 {
			if status, _ := get(m, "/readyz", nil); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		if asked.Load() != 1 {
			t.Errorf("100 questions: the helper was asked %d times", asked.Load())
		}
		away.Store(true)
		time.Sleep(askEvery)
		for range 100 {
			if status, body := get(m, "/readyz", nil); status != http.StatusServiceUnavailable || strings.Contains(body, "secret") {
				t.Fatalf("status %d: %s", status, body)
			}
		}
		_, body := get(m, "/metrics", nil)
		want(t, body, "nuconntrack_helper_up 0")
		if strings.Contains(body, "nuconntrack_kernel_connections ") {
			t.Error("a number that is not known")
		}
		if asked.Load() != 2 {
			t.Errorf("a helper that is away was asked %d times", asked.Load()-1)
		}
		if status, _ := get(m, "/healthz", nil); status != http.StatusOK {
			t.Errorf("health without a helper: %d", status)
		}
	})
}

// TestHelperThatHangs: whoever asks has an answer in time, however many do.
func TestHelperThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		m := counted(func(ctx context.Context) (ipc.Stats, error) {
			asked.Add(1)
			<-ctx.Done()
			return ipc.Stats{}, ctx.Err()
		})
		begin := time.Now()
		done := make(chan int)
		const many = 50
		for range many {
			go func() {
				status, _ := get(m, "/readyz", nil)
				done <- status
			}()
		}
		for range many {
			if status := <-done; status != http.StatusServiceUnavailable {
				t.Errorf("status %d", status)
			}
		}
		if took := time.Since(begin); took > 2*askTime {
			t.Errorf("took %s", took)
		}
		if asked.Load() > 2 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

// TestThoseWhoLeave: who asks and does not wait for the answer does not have the helper asked more
// often.
func TestThoseWhoLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		m := counted(func(ctx context.Context) (ipc.Stats, error) {
			asked.Add(1)
			select {
			case <-time.After(time.Second):
				return answering(ctx)
			case <-ctx.Done():
				return ipc.Stats{}, ctx.Err()
			}
		})
		for range 50 {
			ctx, leave := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, leave)
			get(m, "/readyz", func(r *http.Request) { *r = *r.WithContext(ctx) })
		}
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
		if status, _ := get(m, "/readyz", nil); status != http.StatusOK {
			t.Errorf("status %d after those who left", status)
		}
	})
}
