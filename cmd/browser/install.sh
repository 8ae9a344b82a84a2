#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Installs what the tests of this folder run: Debian's packages, as root, and npm's
# playwright-core and axe-core into the folder FOLDER. What is there already is left alone.
#
#   install.sh FOLDER
set -eu
folder=$1

missing=
command_of() { command -v "$1" >/dev/null || missing="$missing $2"; }
command_of chromium chromium
command_of conntrack conntrack
command_of node nodejs
command_of npm npm
[ -n "$(find /usr/share/fonts -name '*.ttf' -print -quit 2>/dev/null)" ] || missing="$missing fonts-dejavu-core"
if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

wanted=
npm_of() { grep -qs "\"version\": \"$2\"" "$folder/node_modules/$1/package.json" || wanted="$wanted $1@$2"; }
npm_of playwright-core 1.65.1
npm_of axe-core 4.14.1
if [ -n "$wanted" ]; then
  mkdir -p "$folder"
  # shellcheck disable=SC2086
  npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error $wanted
fi
