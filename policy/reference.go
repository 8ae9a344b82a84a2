// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import _ "embed"

//go:embed policy.toml
var reference string

// Reference returns a policy file with every key, what it means, its bounds and its default.
func Reference() string { return reference }

// The names of all keys, by table.

func rootKeys() []string    { return []string{"kill", "change", "dump", "zones", "protect"} }
func killKeys() []string    { return []string{"allow", "rate", "burst"} }
func changeKeys() []string  { return []string{"allow", "mark_mask", "timeout_min", "timeout_max"} }
func dumpKeys() []string    { return []string{"duty", "zones"} }
func protectKeys() []string { return []string{"name", "addresses", "ports", "protocols"} }
