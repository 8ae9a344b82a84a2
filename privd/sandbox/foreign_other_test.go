// SPDX-License-Identifier: GPL-2.0-or-later

//go:build !amd64

package sandbox

// foreign are calls that only this architecture has, and those of its other ABIs.
func foreign() map[string]victim { return nil }
