// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v2"
	"golang.org/x/sys/unix"
)

// Run shows the table on the terminal until the user quits or ctx ends, which is no error.
// The terminal is left as it was found.
func Run(ctx context.Context, c Config) error {
	// Characters that a locale without UTF-8 lacks get a plain one in their place, and a
	// locale that tcell does not know is taken for ASCII.
	tcell.SetEncodingFallback(tcell.EncodingFallbackASCII)
	screen, err := tcell.NewTerminfoScreen()
	if err != nil {
		// What failed is the look-up of a description, of several lines and of no use.
		return fmt.Errorf("cannot draw on a terminal of type %q, which is not described here: set TERM", os.Getenv("TERM"))
	}
	return runOn(ctx, c, screen)
}

// runOn is Run on a screen that nobody has begun to use.
func runOn(ctx context.Context, c Config, screen tcell.Screen) (err error) {
	if err := screen.Init(); err != nil {
		return fmt.Errorf("prepare terminal: %w", err)
	}
	// Deferred, so that it happens before a panic is printed.
	fini := sync.OnceFunc(screen.Fini)
	defer fini()
	screen.EnablePaste()

	ctx, cancel := context.WithCancel(ctx)
	f := newFetcher(c.Source, c.Fields)
	var workers sync.WaitGroup
	workers.Go(func() { f.run(ctx) })
	defer workers.Wait()
	defer cancel()

	l := loop{state: newState(c), fetcher: f, screen: screen, view: newView(c)}
	l.state.tick(time.Now())
	err = l.run(ctx)
	// Calls under way may take a moment to end: not with the terminal in our hands.
	fini()
	return err
}

// loop is where keys, answers and time meet. All of it runs in one goroutine.
type loop struct {
	state   *state
	fetcher *fetcher
	screen  tcell.Screen
	view    *view
}

func (l *loop) run(ctx context.Context) error {
	events, stop := make(chan tcell.Event, 16), make(chan struct{})
	var poll sync.WaitGroup
	poll.Go(func() { l.screen.ChannelEvents(events, stop) })
	defer close(stop)

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTSTP, syscall.SIGHUP)
	defer signal.Stop(signals)
	clock := time.NewTicker(beat)
	defer clock.Stop()

	for !l.state.quit {
		for _, r := range l.state.requests() {
			l.fetcher.ask(r)
		}
		l.view.draw(l.screen, l.state)
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			if s == syscall.SIGHUP {
				return nil
			}
			if err := l.suspend(); err != nil {
				return err
			}
		case now := <-clock.C:
			l.state.tick(now)
		case a := <-l.fetcher.answers:
			var crashed crash
			if errors.As(a.err, &crashed) {
				panic(crashed.text)
			}
			l.state.take(a)
		case event, ok := <-events:
			if !ok {
				return nil
			}
			if err := l.handle(event); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loop) handle(event tcell.Event) error {
	switch event := event.(type) {
	case *tcell.EventKey:
		if event.Key() == tcell.KeyCtrlZ {
			return l.suspend()
		}
		if event.Key() == tcell.KeyCtrlL {
			l.screen.Sync()
			return nil
		}
		l.view.key(l.state, event)
	case *tcell.EventPaste:
		l.view.paste(event)
	case *tcell.EventResize:
		l.screen.Sync()
	case *tcell.EventError:
		return fmt.Errorf("read from terminal: %w", event)
	}
	return nil
}

// suspend gives the terminal back and stops all of the job, as the shell expects of Ctrl-Z.
func (l *loop) suspend() error {
	if leader, err := unix.Getsid(0); err != nil || leader == os.Getpid() {
		// The first process of a terminal has no shell that could continue it.
		l.state.say("there is no shell to go back to")
		return nil
	}
	if err := l.screen.Suspend(); err != nil {
		return fmt.Errorf("give terminal back: %w", err)
	}
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	// SIGSTOP, as Go's runtime does not give SIGTSTP its meaning back once it was caught. It takes
	// hold a moment after the call, hence the wait; time passes while the process is stopped.
	if err := syscall.Kill(0, syscall.SIGSTOP); err != nil {
		l.state.say("cannot stop: %v", err)
	} else {
		select {
		case <-resumed:
		case <-time.After(stopGrace):
		}
	}
	if err := l.screen.Resume(); err != nil {
		return fmt.Errorf("take terminal again: %w", err)
	}
	l.screen.Sync()
	return nil
}
