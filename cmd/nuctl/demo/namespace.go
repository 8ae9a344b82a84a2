// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	// stopDeadline is how long the inner process may take to end before it is killed. It
	// has to be longer than daemonGrace.
	stopDeadline = 8 * time.Second
	// ownExecutable works in the namespace too, and after the file was replaced by a new build.
	ownExecutable = "/proc/self/exe"
)

// report is what the inner process tells the outer one on its standard output, one JSON
// object a line.
type report struct {
	Kind reportKind `json:"kind"`
	Text string     `json:"text,omitempty"`
}

type reportKind string

const (
	reportNote      reportKind = "note"      // something to tell the user, the demo goes on
	reportReady     reportKind = "ready"     // traffic flows, daemons run
	reportForbidden reportKind = "forbidden" // the namespace is of no use, see errForbidden
	reportFailed    reportKind = "failed"
)

// errForbidden means that this machine does not let this user have namespaces.
var errForbidden = errors.New("user namespaces are not permitted here")

// inside is the inner process as the outer one holds it.
type inside struct {
	cmd     *exec.Cmd
	host    bool
	control io.Closer // closing it asks the inner process to end
	reports chan report
	done    chan struct{}
	err     error // how it ended; after done is closed
}

// startInside starts `nuctl demo inside`, for the demo in its namespaces. It is the caller's to
// stop it.
func startInside(bins daemons, p place, listener *net.TCPListener, stderr io.Writer) (*inside, error) {
	handed, err := listener.File()
	if err != nil {
		return nil, fmt.Errorf("start namespace: %w", err)
	}
	defer handed.Close()
	cmd := exec.Command(ownExecutable, "demo", "inside",
		"--dir", p.dir, "--privd", bins.privd, "--frontd", bins.frontd,
		"--host="+strconv.FormatBool(p.setting.host), "--privd-user", p.setting.privd,
		"--peer-user", p.setting.peer, "--audit", p.setting.audit)
	cmd.Args[0] = "nuctl"
	cmd.ExtraFiles = []*os.File{handed}
	cmd.Stderr = stderr
	cmd.WaitDelay = time.Second
	// Ctrl-C is for the outer process, which ends the inner one in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if !p.setting.host {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	control, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start namespace: %w", err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start namespace: %w", err)
	}
	if err := cmd.Start(); err != nil {
		if !p.setting.host && forbids(err) {
			return nil, forbiddenError(os.DirFS("/proc/sys"), err)
		}
		return nil, fmt.Errorf("start namespace: %w", err)
	}
	in := &inside{cmd: cmd, host: p.setting.host, control: control, reports: make(chan report), done: make(chan struct{})}
	go in.follow(output)
	return in, nil
}

// follow passes the reports on until the inner process ends, and keeps the last failure as
// the reason of the end.
func (in *inside) follow(output io.Reader) {
	defer close(in.done)
	var failure error
	for decoder := json.NewDecoder(output); ; {
		var r report
		if err := decoder.Decode(&r); err != nil {
			break
		}
		switch r.Kind {
		case reportForbidden:
			failure = forbiddenError(os.DirFS("/proc/sys"), errors.New(r.Text))
		case reportFailed:
			failure = errors.New(r.Text)
		default:
			in.reports <- r
		}
	}
	if in.host {
		// It has ended, if only by kill -9: without a PID namespace nobody else ends the
		// daemons then. Until Wait the number of its process group is nobody else's.
		syscall.Kill(-in.cmd.Process.Pid, syscall.SIGKILL)
	}
	err := in.cmd.Wait()
	switch {
	case failure != nil:
		in.err = failure
	case err != nil:
		in.err = fmt.Errorf("process of the daemons ended: %w", err)
	}
}

// waitReady waits until the inner process says that it is ready, and shows its notes.
func (in *inside) waitReady(ctx context.Context, stderr io.Writer) error {
	for {
		select {
		case r := <-in.reports:
			if r.Kind == reportReady {
				return nil
			}
			fmt.Fprintf(stderr, "Note: %s\n", r.Text)
		case <-in.done:
			return in.failed()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waitAnswer waits until frontd answers at the address.
func (in *inside) waitAnswer(ctx context.Context, address string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- waitAnswer(ctx, address) }()
	select {
	case err := <-answered:
		return err
	case <-in.done:
		return in.failed()
	}
}

// wait waits for the context's end, or for that of the inner process, which is an error.
func (in *inside) wait(ctx context.Context) error {
	select {
	case <-in.done:
		return in.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (in *inside) failed() error {
	if in.err == nil {
		return errors.New("process of the daemons ended by itself")
	}
	return in.err
}

// stop ends the inner process and everything below it. A process that does not end in time
// is killed, and the kernel kills the others with it.
func (in *inside) stop(p place) error {
	in.control.Close()
	timer := time.AfterFunc(stopDeadline, func() { in.cmd.Process.Kill() })
	defer timer.Stop()
	for {
		select {
		case <-in.reports:
		case <-in.done:
			return p.remove()
		}
	}
}

// forbids says whether starting failed because namespaces are not to be had: EPERM and
// EACCES come from sysctls, security modules and containers, ENOSPC from a limit of zero
// or one that is used up, EUSERS from the nesting depth (older kernels), EINVAL and ENOSYS from a
// kernel built without them. See clone(2), "ERRORS".
func forbids(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS, syscall.EINVAL, syscall.ENOSYS,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
