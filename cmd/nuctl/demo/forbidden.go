// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"fmt"
	"io/fs"
	"strings"
)

// switches are the known ways in which distributions forbid user namespaces, below /proc/sys.
var switches = [...]struct {
	file, forbidden, says, command string
}{
	{"user/max_user_namespaces", "0", "user.max_user_namespaces is 0",
		"sudo sysctl user.max_user_namespaces=10000"},
	{"user/max_net_namespaces", "0", "user.max_net_namespaces is 0",
		"sudo sysctl user.max_net_namespaces=10000"},
	{"kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0 (Debian)",
		"sudo sysctl kernel.unprivileged_userns_clone=1"},
	{"kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor restricts them (Ubuntu)",
		"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
}

// forbiddenError says what forbids namespaces here, as far as it can be found out, and how to go
// on. It is an errForbidden.
func forbiddenError(procSys fs.FS, cause error) error {
	var b strings.Builder
	for _, s := range switches {
		value, err := fs.ReadFile(procSys, s.file)
		if err == nil && strings.TrimSpace(string(value)) == s.forbidden {
			fmt.Fprintf(&b, "\n  %s; to permit them until the next boot:\n      %s", s.says, s.command)
		}
	}
	if b.Len() == 0 {
		b.WriteString("\n  In a container, its runtime or seccomp profile may forbid them: try outside of it.")
	}
	b.WriteString("\n  Or see this machine's own connections instead, from the source tree:\n      sudo make run-host")
	return fmt.Errorf("%w (%w)%s", errForbidden, cause, b.String())
}
