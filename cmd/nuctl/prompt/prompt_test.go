// SPDX-License-Identifier: GPL-2.0-or-later

package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nuconntrack/cmd/nuctl/terminaltest"
)

// askVariable tells the test's program, started again on a terminal, what to ask there.
const (
	askVariable  = "PROMPT_TEST_ASKS"
	fileVariable = "PROMPT_TEST_FILE" // for the answers
)

func TestMain(m *testing.M) {
	if what := os.Getenv(askVariable); what != "" {
		os.Exit(asker(what))
	}
	os.Exit(m.Run())
}

// asker asks, and writes to a file what it was told and whether the terminal shows again
// what is typed: the kernel may drop what stands on a terminal when Ctrl-C comes.
func asker(what string) int {
	answers, err := os.Create(os.Getenv(fileVariable))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer answers.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	terminal, err := Open(os.Stdin)
	if err != nil {
		fmt.Println("no terminal:", err)
		return 1
	}
	defer terminal.Close()
	switch what {
	case "confirm":
		yes, err := terminal.Confirm(ctx, "Sure?")
		fmt.Fprintln(answers, "answer", yes, err)
	case "secret":
		text, err := terminal.Secret(ctx, "Password: ")
		fmt.Fprintf(answers, "answer of %d letters %v\n", len(text), err)
	case "two":
		one, _ := terminal.Line(ctx, "One: ")
		two, err := terminal.Line(ctx, "Two: ")
		fmt.Fprintf(answers, "answer %q %q %v\n", one, two, err)
	}
	settings, err := unix.IoctlGetTermios(int(os.Stdin.Fd()), unix.TCGETS)
	fmt.Fprintln(answers, "echo", err == nil && settings.Lflag&unix.ECHO != 0)
	return 0
}

// ask types keys when the terminal shows the question, and gives what it showed with the
// answers behind it.
func ask(t *testing.T, what, question, keys string) string {
	t.Helper()
	terminal, err := terminaltest.Open(24, 80)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	file := filepath.Join(t.TempDir(), "answers")
	cmd.Env = append(os.Environ(), askVariable+"="+what, fileVariable+"="+file)
	out, err := terminal.Run(cmd, func(shows func(string)) { shows(question) }, keys)
	if err != nil {
		t.Errorf("%v; on the terminal:\n%s", err, out)
	}
	answers, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return out + string(answers)
}

func TestConfirm(t *testing.T) {
	for _, test := range []struct{ keys, want string }{
		{"y\n", "answer true"}, {"YES\n", "answer true"}, {" yes \n", "answer true"},
		{"n\n", "answer false"}, {"\n", "answer false"}, {"yess\n", "answer false"}, {"yes please\n", "answer false"},
		{"ja\n", "answer false"}, {"\x04", "answer false"}, {"1\n", "answer false"},
		{strings.Repeat("y", maxLine/2) + "\n", "answer false"},
	} {
		if got := ask(t, "confirm", "[y/N] ", test.keys); !strings.Contains(got, "Sure? [y/N] ") || !strings.Contains(got, test.want) {
			t.Errorf("%q gives %q", test.keys, got)
		}
	}
}

// TestTwoLines: what is typed ahead is the answer to the next question.
func TestTwoLines(t *testing.T) {
	if got := ask(t, "two", "One: ", "a\nb c\n"); !strings.Contains(got, `answer "a" "b c" <nil>`) {
		t.Errorf("got %q", got)
	}
}

// TestSecret is not shown, and the terminal shows what is typed again afterwards: also when
// the person gives up.
func TestSecret(t *testing.T) {
	got := ask(t, "secret", "Password: ", "hunter2\n")
	if strings.Contains(got, "hunter2") || !strings.Contains(got, "answer of 7 letters <nil>") || !strings.Contains(got, "echo true") {
		t.Errorf("got %q", got)
	}
	got = ask(t, "secret", "Password: ", "hunt\x03")
	if strings.Contains(got, "hunt") || !strings.Contains(got, "answer of 0 letters context canceled") || !strings.Contains(got, "echo true") {
		t.Errorf("interrupted: got %q", got)
	}
}

func TestOpenNeedsATerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for name, stdin := range map[string]io.Reader{"no file": strings.NewReader("yes\n"), "a device": null} {
		if _, err := Open(stdin); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadLine(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		fails            bool
	}{
		{"line", "abc\ndef", "abc", false},
		{"line of Windows", "abc\r\n", "abc", false},
		{"empty line", "\n", "", false},
		{"end without a line end", "abc", "abc", false},
		{"nothing", "", "", true},
		{"longest", strings.Repeat("a", maxLine) + "\n", strings.Repeat("a", maxLine), false},
		{"too long", strings.Repeat("a", maxLine+1) + "\n", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readLine(strings.NewReader(test.text))
			if got != test.want || (err != nil) != test.fails {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
