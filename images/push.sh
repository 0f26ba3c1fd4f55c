#!/bin/sh
# Push the images that images/build.sh made: images/push.sh [NAME...], with its settings.
set -eu
cd "$(dirname "$0")/.."
first() { for program in "$@"; do command -v "$program" >/dev/null && { echo "$program"; return; }; done; }
ENGINE=${ENGINE:-$(first podman docker buildah)}
[ -n "$ENGINE" ] || { echo "no podman, docker or buildah here: install one" >&2; exit 2; }
[ -n "${REGISTRY:-}" ] || { echo "name the registry: REGISTRY=registry.example.org/group" >&2; exit 2; }
TAG=${TAG:-$(sed -n 's/^__version__ = "\(.*\)"/\1/p' analysis/fourlep/__init__.py)}
[ $# -gt 0 ] || set -- analysis hub gateway xcache proxy traefik
for name in "$@"; do
    "$ENGINE" push "$REGISTRY/fourlep/$name:$TAG"
done
