// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system || packages

package systemd_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What the keeper is told.
const (
	keeperFolder    = "NUCONNTRACK_KEEPER_FOLDER"    // an empty folder, to mount on
	keeperInstalled = "NUCONNTRACK_KEEPER_INSTALLED" // what make install made; none: nothing is installed
	keeperCgroups   = "NUCONNTRACK_KEEPER_CGROUPS"   // folders of cgroups, to run in
	keeperUpper     = "upper"                        // what the container writes, in keeperFolder
)

// bootTarget is what the container boots: sockets and what they need, and none of the
// services that the machine under it has installed.
const bootTarget = `[Unit]
Requires=sysinit.target sockets.target
After=sysinit.target sockets.target
AllowIsolate=yes
`

func TestMain(m *testing.M) {
	if os.Getenv(keeperFolder) != "" {
		fmt.Fprintln(os.Stderr, "prepare container:", keep())
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == probeArgument {
		os.Exit(probe(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// keep runs the container. It is process 1 of a PID namespace and alone in a mount
// namespace: when it dies, by whatever signal, all processes and mounts go with it. It dies
// with the test, which nspawn, who forgets its parent-death signal, would not.
func keep() error {
	folder := os.Getenv(keeperFolder)
	for _, cgroup := range filepath.SplitList(os.Getenv(keeperCgroups)) {
		// 0 is the writer, whatever its number there.
		if err := os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte("0"), 0); err != nil {
			return err
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=1g,mode=0755"); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	root := filepath.Join(folder, "root")
	upper, work := filepath.Join(folder, keeperUpper), filepath.Join(folder, "work")
	for _, path := range []string{root, upper, work} {
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("overlay", root, "overlay", 0, "lowerdir=/,upperdir="+upper+",workdir="+work); err != nil {
		return fmt.Errorf("mount overlay: %w", err)
	}
	if err := furnish(root); err != nil {
		return err
	}
	nspawn, err := exec.LookPath("systemd-nspawn")
	if err != nil {
		return err
	}
	cmd := exec.Command(nspawn, "--quiet", "--directory="+root, "--register=no", "--keep-unit", "--private-network",
		"--console=pipe", "--link-journal=no",
		// Its filter for system calls is older than Landlock.
		"--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self",
		"--boot", "systemd.unit=nuconntrack-test.target", "systemd.log_target=journal")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// furnish installs into the root what an administrator installs by hand.
func furnish(root string) error {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	errs := os.WriteFile(filepath.Join(root, "etc/systemd/system/nuconntrack-test.target"), []byte(bootTarget), 0o644)
	// A journal of the machine itself is none of ours; one in memory is faster.
	errs = errors.Join(errs, os.RemoveAll(filepath.Join(root, "var/log/journal")))
	if os.Getenv(keeperInstalled) == "" {
		// Images of containers have one, so that no package starts anything.
		return errors.Join(errs, os.RemoveAll(filepath.Join(root, "usr/sbin/policy-rc.d")))
	}
	for _, args := range [][]string{
		{"cp", "-a", os.Getenv(keeperInstalled) + "/.", root},
		{"cp", self, filepath.Join(root, probePath)},
		{"systemd-sysusers", "--root=" + root, filepath.Join(root, "usr/lib/sysusers.d/nuconntrack.conf")},
		{"systemctl", "--root=" + root, "preset", "nuconntrack-privd.socket", "nuconntrack-frontd.socket"},
		{"journalctl", "--root=" + root, "--update-catalog"},
	} {
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("%v: %w\n%s", args, err, out))
		}
	}
	return errs
}
