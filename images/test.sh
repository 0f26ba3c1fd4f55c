#!/bin/sh
# Build images as CI does, and check each from the inside: images/test.sh [NAME...]
#
# Needs root, buildah and mmdebstrap. The base is made from Debian's archive, no container
# registry is asked. STORAGE keeps base and layers between two calls (default: build/images).
set -eu
cd "$(dirname "$0")/.."
STORAGE=${STORAGE:-$PWD/build/images}
[ "$(id -u)" = 0 ] || { echo "buildah's chroot isolation needs root here" >&2; exit 2; }
mkdir -p "$STORAGE"
CONTAINERS_STORAGE_CONF=$STORAGE/storage.conf
export CONTAINERS_STORAGE_CONF
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/root"\nrunroot = "%s/run"\n' \
    "$STORAGE" "$STORAGE" > "$CONTAINERS_STORAGE_CONF"
BASE=docker.io/library/debian:trixie-slim
buildah inspect --type image "$BASE" >/dev/null 2>&1 || images/base.sh "$BASE"

[ $# -gt 0 ] || set -- analysis hub gateway xcache proxy traefik
export ENGINE=buildah TAG=test BASE
BUILD_OPTIONS="--isolation chroot --network host --pull-never" images/build.sh "$@"
for name in "$@"; do
    images/check.sh "docker.io/fourlep/$name:test" "$name"
done
