// SPDX-License-Identifier: GPL-2.0-or-later

// Package systemd holds what systemd needs to run NuConntrack: units, users, folders,
// preset, catalog, and the configuration that is installed. It has no code but its tests:
// those of the files, and, with the build tag system, those that boot systemd in a
// container and look at the services there.
package systemd
