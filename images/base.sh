#!/bin/sh
# Make a base image from Debian's archive, for builders that reach no container registry:
# images/base.sh NAME. Needs root, mmdebstrap and buildah.
set -eu
NAME=${1:-docker.io/library/debian:trixie-slim}
archive=$(mktemp --suffix=.tar)
container=
trap 'rm -f "$archive"; [ -z "$container" ] || buildah rm "$container" >/dev/null' EXIT
mmdebstrap --variant=minbase --quiet \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    trixie "$archive" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
container=$(buildah from scratch)
buildah add -q "$container" "$archive" / >/dev/null
buildah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit -q "$container" "$NAME" >/dev/null
echo "$NAME"
