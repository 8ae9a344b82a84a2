// SPDX-License-Identifier: GPL-2.0-or-later

// Package browser holds no code but tests of the page in a real browser: Debian's Chromium, driven
// by playwright-core from the scripts in testdata, against the real daemons and the real kernel, all
// in a namespace of their own. They run with the build tag "browser"; `make test-browser`
// installs what they use first.
package browser
