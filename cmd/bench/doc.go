// SPDX-License-Identifier: GPL-2.0-or-later

// Package bench measures the whole against what else reads the kernel's connection table,
// in a namespace of its own: `make bench`. It has tests only, behind the build tag bench,
// and no test of it fails for being slow: a budget is a figure to read, on a machine that
// is known.
package bench
