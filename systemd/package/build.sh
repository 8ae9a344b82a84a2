#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the packages of the commit that is checked out, deb and rpm, into a folder:
#   systemd/package/build.sh FOLDER [ARCHITECTURE...]
# The same commit gives the same bytes. PACKAGER, "Name <address>", is who answers for them.
set -euo pipefail

out=$(mkdir -p "${1:?which folder?}" && cd "$1" && pwd)
shift
architectures=("$@")
[ ${#architectures[@]} -gt 0 ] || architectures=(amd64 arm64)
cd "$(dirname "$0")/../.."

GO=${GO:-go}
NFPM=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
export CGO_ENABLED=0 LC_ALL=C TZ=UTC
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

GOBIN=$work/bin "$GO" install "$NFPM"

# Everything is as old as the commit, and named after it: as Go does, vX.Y.Z where a tag says so, else
# the time and the number of the commit. What Debian and RPM sort before 1.2.3 is 1.2.3~something.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
for arch in "${architectures[@]}"; do
	GOOS=linux GOARCH=$arch "$GO" build -trimpath -buildvcs=true -ldflags='-s -w' -o "$work/$arch/bin/" \
		./cmd/nuconntrack-privd ./cmd/nuconntrack-frontd ./cmd/nuctl
done
go_version=$("$GO" version -m "$work/${architectures[0]}/bin/nuctl" | awk '$1 == "mod" {print $3}')
case $go_version in
v*) ;;
*) echo "build.sh: the programs say that they are version \"$go_version\": is this a checkout of git?" >&2 && exit 1 ;;
esac
VERSION=$(sed 's/^v//; s/-/~/; s/-/./g' <<<"$go_version")

# The manuals ask the programs, which have to be such as run here.
host=$("$GO" env GOHOSTARCH)
if [ ! -d "$work/$host/bin" ]; then
	GOOS=linux GOARCH=$host "$GO" build -trimpath -buildvcs=true -o "$work/$host/bin/" ./cmd/nuconntrack-privd ./cmd/nuconntrack-frontd
fi
"$GO" run ./cmd/manual -bin "$work/$host/bin" -out "$work/manuals" -date "$(git log -1 --format=%cd --date=format:%F)"
"$GO" run ./cmd/licences -texts | gzip -9n >"$work/licences.gz"
LICENCE="GPL-2.0-or-later$(awk -F ' *[|] *' '/^[|] [a-z].*[0-9]/ {print $4}' docs/licences.md |
	sed 's/ OR GPL-2.0-only//' | sort -u | sed 's/^/ AND /' | tr -d '\n')"

PACKAGER=${PACKAGER:-NuConntrack <nuconntrack@packages.invalid>}
cat >"$work/changelog.yaml" <<EOT
- semver: "$VERSION-1"
  date: $(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
  packager: $PACKAGER
  deb: {urgency: medium, distributions: [unstable]}
  changes:
    - note: "Commit $(git rev-parse --short=12 HEAD). See changelog.gz."
EOT

# The scripts name units and users that are written down once.
units() { (cd systemd && ls -- $1) | tr '\n' ' ' | sed 's/ $//'; }
enabled=$(awk '$1 == "enable" {print $2}' systemd/nuconntrack.preset | tr '\n' ' ' | sed 's/ $//')
users=$(awk '$1 == "u" {print $2}' systemd/nuconntrack.sysusers | tr '\n' ' ' | sed 's/ $//')
for script in deb/preinst deb/postinst deb/prerm deb/postrm rpm/post rpm/preun rpm/postun; do
	mkdir -p "$work/$(dirname $script)"
	sed "s/@ENABLED@/$enabled/; s/@SOCKETS@/$(units '*.socket')/; s/@SERVICES@/$(units '*.service')/; s/@USERS@/$users/" \
		"systemd/package/$script" >"$work/$script"
done
cp systemd/package/lintian-overrides "$work/"

for arch in "${architectures[@]}"; do
	root=$work/$arch/root
	make -s install-files BIN="$work/$arch/bin" MANUALS="$work/manuals" DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc
	doc=$root/usr/share/doc/nuconntrack
	install -m 0644 systemd/package/copyright "$work/licences.gz" "$doc/"
	find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	(
		cd "$root"
		find usr/share/doc/nuconntrack usr/share/fish usr/share/zsh -type d | sort |
			sed 's,.*,  - {dst: /&\, type: dir\, packager: rpm\, file_info: {mode: 0755}},'
		find usr/share/doc usr/share/man -type f | sort |
			sed 's,.*,  - {src: ./&\, dst: /&\, type: doc\, packager: rpm},'
	) >"$work/documentation"
	sed "s/@LICENCE@/$LICENCE/; /@DOCUMENTATION@/{
		r $work/documentation
		d
	}" systemd/package/nfpm.yaml >"$work/nfpm.yaml"
	for format in deb rpm; do
		(cd "$root" && ARCH=$arch VERSION=$VERSION PACKAGER=$PACKAGER \
			"$work/bin/nfpm" package --config ../../nfpm.yaml --packager $format --target "$out/" >&2)
	done
done
ls -1 "$out"
