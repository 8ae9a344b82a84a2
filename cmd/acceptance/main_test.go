// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
)

func TestMain(m *testing.M) {
	os.Exit(daemontest.Main(m, daemontest.Setup{Programs: []string{daemontest.Privd, daemontest.Frontd, daemontest.Nuctl}}))
}

// command runs a program to its end and gives its exit code.
func command(t testing.TB, stdin, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := daemontest.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
