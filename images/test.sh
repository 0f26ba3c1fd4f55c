#!/bin/sh
# Build images as CI does, and check each from the inside: images/test.sh [NAME...]
#
# Needs root, buildah, mmdebstrap and iproute2; exit status 2 says that this machine cannot
# build, 1 that a build or a check failed. The base is made from Debian's archive, no container
# registry is asked. STORAGE keeps base and layers between two calls (default: build/images).
set -eu
cd "$(dirname "$0")/.."
STORAGE=${STORAGE:-$PWD/build/images}
cannot() { echo "this machine cannot build the images: $1" >&2; exit 2; }
[ "$(id -u)" = 0 ] || cannot "buildah's chroot isolation needs root"
for program in buildah mmdebstrap ip unshare; do
    command -v "$program" >/dev/null || cannot "$program is missing (apt-get install buildah mmdebstrap iproute2)"
done
unshare --mount --net true 2>/dev/null || cannot "it may make no namespaces"
mkdir -p "$STORAGE"
CONTAINERS_STORAGE_CONF=$STORAGE/storage.conf
export CONTAINERS_STORAGE_CONF
# Overlays cannot be stacked on those of a container: there, whole copies.
for driver in overlay vfs; do
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s/root"\nrunroot = "%s/run"\n' \
        "$driver" "$STORAGE" "$STORAGE" > "$CONTAINERS_STORAGE_CONF"
    buildah info >/dev/null 2>&1 && break
done
buildah info >/dev/null || cannot "buildah has no storage that works"
BASE=docker.io/library/debian:trixie-slim
buildah inspect --type image "$BASE" >/dev/null 2>&1 || images/base.sh "$BASE"

[ $# -gt 0 ] || set -- analysis hub gateway xcache proxy traefik
export ENGINE=buildah TAG=test BASE
BUILD_OPTIONS="--isolation chroot --network host --pull-never" images/build.sh "$@"
for name in "$@"; do
    images/check.sh "docker.io/fourlep/$name:test" "$name"
done
