#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Installs the XML-RPC clients that the tests of this folder run: Debian's packages, as root,
# and npm's package xmlrpc into the folder FOLDER. What is there already is left alone.
#
#   install.sh FOLDER
set -eu
folder=$1

missing=
has() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
package() { has "$1" || missing="$missing $1"; }
command_of() { command -v "$1" >/dev/null || missing="$missing $2"; }

command_of conntrack conntrack
command_of cc gcc
command_of python3 python3
command_of node nodejs
command_of npm npm
for p in libc6-dev php-cli php-xmlrpc librpc-xml-perl libfrontier-rpc-perl libwww-perl \
  ruby ruby-xmlrpc libxmlrpc-core-c3-dev libcurl4-openssl-dev; do
  package "$p"
done
if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

version=1.3.2
if ! grep -qs "\"version\": \"$version\"" "$folder/node_modules/xmlrpc/package.json"; then
  mkdir -p "$folder"
  npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "xmlrpc@$version"
fi
