// SPDX-License-Identifier: GPL-2.0-or-later

// Package certs holds the certificate, the key and the client authorities with which the
// front daemon speaks TLS, and reads their files again when they have changed: certificates
// last for weeks now, connections are to last longer than that.
//
// Its input are files of the administrator's, or systemd's credentials. What cannot be
// used never replaces what can: a new certificate beside an old key is the ordinary
// state of things for a moment whenever one is renewed. It must never log or return what is
// in a key file.
package certs
