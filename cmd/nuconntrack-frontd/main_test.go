// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.toml", "listen = [\"127.0.0.1:8580\"]\nprivd = \"/run/privd.sock\"\n[auth]\nbackend = \"none\"\n")
	unknown := file("unknown.toml", "colour = 1\n[auth]\nbackend = \"none\"\n")
	open := file("open.toml", "listen = [\"0.0.0.0:8580\"]\n[auth]\nbackend = \"none\"\n")
	busy := file("busy.toml", "listen = [\"unix:"+dir+"\"]\n[auth]\nbackend = \"none\"\n")

	tests := map[string]struct {
		args         []string
		code         int
		out, problem string // parts of what is printed
	}{
		"version":              {[]string{"--version"}, 0, "nuconntrack-frontd", ""},
		"help":                 {[]string{"--help"}, 0, "\n  --check-config\n", ""},
		"check good":           {[]string{"--config", good, "--check-config"}, 0, `listen = ["127.0.0.1:8580"]`, ""},
		"check with overrides": {[]string{"--config", good, "--listen", "127.0.0.1:1", "--privd", "/x", "--check-config"}, 0, `privd = "/x"`, ""},
		"check unknown key":    {[]string{"--config", unknown, "--check-config"}, 2, "", "colour"},
		"check open to all":    {[]string{"--config", open, "--check-config"}, 2, "", "none"},
		"no file":              {[]string{"--config", dir + "/none.toml"}, 2, "", "none.toml"},
		"unknown flag":         {[]string{"--colour"}, 2, "", "colour"},
		"an argument":          {[]string{"start"}, 2, "", "start"},
		"bad override":         {[]string{"--config", good, "--listen", "nowhere"}, 2, "", "nowhere"},
		"socket in the way":    {[]string{"--config", busy}, 1, "", dir},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), test.args, &stdout, &stderr)
			if code != test.code || !strings.Contains(stdout.String(), test.out) || !strings.Contains(stderr.String(), test.problem) {
				t.Errorf("exit %d, want %d\nstdout: %s\nstderr: %s", code, test.code, &stdout, &stderr)
			}
		})
	}
}
