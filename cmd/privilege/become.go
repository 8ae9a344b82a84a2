// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// Config says what a process becomes.
type Config struct {
	// User is a name, a uid, or Self. Only root can become another user.
	User string
	// Keep are the capabilities that stay, permitted and effective. None is a good choice.
	Keep []cap.Value
	// Log gets one line at the end. Nil logs nothing.
	Log *slog.Logger
}

// Become gives up everything but Config.Keep, on all threads and for good, and shows by
// /proc that it is gone. After an error the process holds anything between what it had
// and what it was to keep, and has to end.
func Become(cfg Config) error {
	have := cap.GetProc()
	if err := holds(have, cfg.Keep); err != nil {
		return err
	}
	want := state{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid()), caps: bits(cfg.Keep)}
	hasIt, err := hasExactly(have, want.caps)
	if err != nil {
		return err
	}
	var other *Account
	if cfg.User != Self {
		a, err := Lookup(cfg.User)
		if err != nil {
			return err
		}
		if a.UID != want.uid || os.Getuid() != os.Geteuid() {
			other, want.uid, want.gid, want.account = &a, a.UID, a.GID, &a
		}
	}
	if other != nil && os.Geteuid() != 0 {
		return fmt.Errorf("become user %q: only root can; this is uid %d", cfg.User, os.Geteuid())
	}
	if err := dropForever(have); err != nil {
		return err
	}
	if other != nil {
		if err := change(*other); err != nil {
			return err
		}
	}
	if err := setCapabilities(cfg.Keep); err != nil {
		// The filter of a service may forbid capset(2) where systemd has set all that is to
		// stay. What may be inherited then remains, and is worth nothing: with no_new_privs a
		// program that is executed gets no capability from it.
		if !hasIt || other != nil || !errors.Is(err, unix.EPERM) {
			return err
		}
		if want.inheritable, err = flagBits(have, cap.Inheritable); err != nil {
			return err
		}
	}
	if err := seal(); err != nil {
		return err
	}
	if err := want.assert(); err != nil {
		return fmt.Errorf("assert that privileges are gone: %w", err)
	}
	if cfg.Log != nil {
		cfg.Log.Info("privileges dropped", "uid", want.uid, "gid", want.gid, "kept", names(cfg.Keep))
	}
	return nil
}

// holds checks that what is to be kept is there in the first place.
func holds(have *cap.Set, keep []cap.Value) error {
	for _, v := range keep {
		if ok, err := have.GetFlag(cap.Permitted, v); err != nil || !ok {
			return errors.Join(fmt.Errorf("%s is missing: start as root, or by systemd with "+
				"AmbientCapabilities=%s, or as root of a user namespace of your own", v, v), err)
		}
	}
	return nil
}

// dropForever empties the bounding set, where the process may, and the ambient set, so
// that no program that is executed could have a capability again.
func dropForever(have *cap.Set) error {
	if ok, err := have.GetFlag(cap.Effective, cap.SETPCAP); err == nil && ok {
		for v := cap.Value(0); v < cap.MaxBits(); v++ {
			if err := cap.DropBound(v); err != nil {
				return fmt.Errorf("drop %s from bounding set: %w", v, err)
			}
		}
	}
	if err := cap.ResetAmbient(); err != nil {
		return fmt.Errorf("empty ambient set: %w", err)
	}
	return nil
}

// change takes over the account's groups and then its uid; the permitted set stays.
func change(a Account) error {
	if err := cap.SetGroups(int(a.GID), a.Groups...); err != nil {
		return fmt.Errorf("take over groups of user %q: %w", a.Name, err)
	}
	if err := cap.SetUID(int(a.UID)); err != nil {
		return fmt.Errorf("become user %q: %w", a.Name, err)
	}
	return nil
}

// setCapabilities lets go of all capabilities but keep.
func setCapabilities(keep []cap.Value) error {
	set := cap.NewSet()
	for _, flag := range [2]cap.Flag{cap.Permitted, cap.Effective} {
		if len(keep) == 0 {
			break
		}
		if err := set.SetFlag(flag, true, keep...); err != nil {
			return fmt.Errorf("build capability set: %w", err)
		}
	}
	if err := set.SetProc(); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

// seal lets go of every way to new capabilities. What is not dumpable can be neither traced
// nor read by other processes of the same user.
func seal() error {
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("make process undumpable: %w", err)
	}
	return nil
}

// hasExactly reports whether caps are permitted and effective, no other is, and no other
// may be inherited.
func hasExactly(have *cap.Set, caps uint64) (bool, error) {
	permitted, err := flagBits(have, cap.Permitted)
	if err != nil {
		return false, err
	}
	effective, err := flagBits(have, cap.Effective)
	if err != nil {
		return false, err
	}
	inheritable, err := flagBits(have, cap.Inheritable)
	if err != nil {
		return false, err
	}
	return permitted == caps && effective == caps && inheritable&^caps == 0, nil
}

func flagBits(set *cap.Set, flag cap.Flag) (b uint64, err error) {
	for v := cap.Value(0); v < cap.MaxBits(); v++ {
		on, err := set.GetFlag(flag, v)
		if err != nil {
			return 0, fmt.Errorf("read capability set: %w", err)
		}
		if on {
			b |= 1 << v
		}
	}
	return b, nil
}

func bits(values []cap.Value) (b uint64) {
	for _, v := range values {
		b |= 1 << v
	}
	return b
}

func names(values []cap.Value) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return list
}
