// SPDX-License-Identifier: GPL-2.0-or-later

package metrics

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table/store"
)

// full gives a scrape with every metric that there is.
func full(t *testing.T) string {
	t.Helper()
	m := counted(answering)
	h := &helpertest.Helper{}
	h.Add(helpertest.Port(6, 1, "192.0.2.1:1", "192.0.2.2:2"))
	if _, err := store.New(store.Config{Source: h, Read: m.Read}).Fresh(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	_, body := get(m, "/metrics", nil)
	return body
}

var metricName = regexp.MustCompile(`nuconntrack_[a-z_]+[a-z]`)

// TestDocumentsNameWhatThereIs: no alert and no page names a metric that is never told, and the
// page names all.
func TestDocumentsNameWhatThereIs(t *testing.T) {
	help := regexp.MustCompile(`(?m)^# TYPE (nuconntrack_[a-z_]+) `)
	told := map[string]bool{}
	for _, name := range help.FindAllStringSubmatch(full(t), -1) {
		told[name[1]] = true
	}
	if len(told) < 15 {
		t.Fatalf("only %d metrics", len(told))
	}
	text := map[string]string{}
	for _, file := range []string{"metrics.md", "alerts.yml", "alerts_test.yml"} {
		b, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		text[file] = string(b)
		for _, name := range metricName.FindAllString(string(b), -1) {
			if !told[name] {
				t.Errorf("%s names %s, which there is not", file, name)
			}
		}
	}
	for name := range told {
		suffix := strings.TrimPrefix(name, "nuconntrack_client_connections")
		if !strings.Contains(text["metrics.md"], name) && !strings.Contains(text["metrics.md"], "…"+suffix+"`") {
			t.Errorf("metrics.md does not name %s", name)
		}
	}
}

// TestPromtool lets Prometheus' own tool look at names, types, units and help texts, and at the
// example alerts with their tests.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("this machine has no promtool (package prometheus), which CI gets, as root")
	}
	for name, test := range map[string]struct {
		stdin string
		args  []string
	}{
		"metrics":        {full(t), []string{"check", "metrics"}},
		"alerts":         {"", []string{"check", "rules", "../../docs/alerts.yml"}},
		"tests of these": {"", []string{"test", "rules", "../../docs/alerts_test.yml"}},
	} {
		t.Run(name, func(t *testing.T) {
			check := exec.Command(tool, test.args...)
			check.Stdin = strings.NewReader(test.stdin)
			if out, err := check.CombinedOutput(); err != nil || test.stdin != "" && len(out) > 0 {
				t.Errorf("promtool: %v\n%s", err, out)
			}
		})
	}
}
