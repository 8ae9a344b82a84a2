#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the programs of Debian that the tests of this folder start. As root.
set -eu
export DEBIAN_FRONTEND=noninteractive
needed=
for p in /usr/sbin/slapd:slapd /usr/sbin/apache2:apache2 /usr/bin/htpasswd:apache2-utils /usr/sbin/nginx:nginx-light /usr/bin/python3:python3; do
  [ -x "${p%%:*}" ] || needed="$needed ${p##*:}"
done
[ -n "$needed" ] || exit 0
# The packages would start their services, which the tests neither need nor want: they start
# their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $needed >/dev/null
