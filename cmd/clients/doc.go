// SPDX-License-Identifier: GPL-2.0-or-later

// Package clients holds no code but tests: they start the real daemons in a network
// namespace of their own and let others at them. With the build tag "clients" these are the
// XML-RPC libraries that administrators use, by the programs in testdata, and what they
// decoded is compared with what conntrack(8) lists; `make test-clients` installs them first.
// Without it they are HTTP by hand: the corners of the transport, and a thousand clients that
// hang. The tests must not use our own codec, which could be wrong in the same way twice.
package clients
