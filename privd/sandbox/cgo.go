// SPDX-License-Identifier: GPL-2.0-or-later

//go:build cgo

package sandbox

// withCgo says that threads come from the C library, with other flags than Go's.
const withCgo = true
