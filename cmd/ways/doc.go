// SPDX-License-Identifier: GPL-2.0-or-later

// Package ways holds no code but tests of the ways in: the real front daemon, without a
// helper, and others' programs around it. With the build tag "ways" these are Debian's slapd,
// apache2 and nginx, started by the tests in folders and on ports of their own, the latter
// two with the examples of docs/; `make test-ways` installs them first. Without the tag it is
// the daemon alone: TLS with an authority made in the test, users of this machine, and
// thousands of wrong passwords beside a right one.
package ways
