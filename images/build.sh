#!/bin/sh
# Build the images, or some of them: images/build.sh [NAME...]
#
#   ENGINE     podman, docker or buildah (default: the first that is there)
#   REGISTRY   in front of fourlep/NAME, "registry.example.org/group" say; none by default
#   TAG        default: the package's version
#   BASE       base image (default: debian:trixie-slim)
#   BUILD_OPTIONS  further options of the engine's build command
#
# Proxies and mirrors are taken from the builder's environment (HTTP_PROXY, PIP_INDEX_URL,
# NPM_CONFIG_REGISTRY and their like) and leave no trace in the image. The certificate bundle
# that SSL_CERT_FILE names is lent to the steps that download.
set -eu
cd "$(dirname "$0")/.."
first() { for program in "$@"; do command -v "$program" >/dev/null && { echo "$program"; return; }; done; }
ENGINE=${ENGINE:-$(first podman docker buildah)}
[ -n "$ENGINE" ] || { echo "no podman, docker or buildah here: install one" >&2; exit 2; }
TAG=${TAG:-$(sed -n 's/^__version__ = "\(.*\)"/\1/p' analysis/fourlep/__init__.py)}
# Without a registry, the name that Kubernetes gives to an image called fourlep/NAME.
PREFIX=${REGISTRY:-docker.io}/fourlep
REVISION=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
BUNDLE=/run/secrets/certificates

[ $# -gt 0 ] || set -- analysis hub gateway xcache proxy traefik
for name in "$@"; do
    [ -f "images/$name/Containerfile" ] || { echo "there is no image '$name' in images/" >&2; exit 2; }
done
for name in "$@"; do
    echo "building $PREFIX/$name:$TAG with $ENGINE" >&2
    case $ENGINE in
        buildah) command="buildah build --format docker --layers" ;;
        *) command="$ENGINE build" ;;
    esac
    certificates=
    if [ -n "${SSL_CERT_FILE:-}" ]; then
        certificates="--secret id=certificates,src=$SSL_CERT_FILE"
        case $name in
            analysis | hub | gateway | traefik) certificates="$certificates --build-arg PIP_CERT=$BUNDLE" ;;
            proxy) certificates="$certificates --build-arg NPM_CONFIG_CAFILE=$BUNDLE" ;;
        esac
    fi
    # shellcheck disable=SC2086  # options are words
    $command ${BUILD_OPTIONS:-} $certificates \
        ${BASE:+--build-arg "BASE=$BASE"} \
        ${PIP_INDEX_URL:+--build-arg "PIP_INDEX_URL=$PIP_INDEX_URL"} \
        ${NPM_CONFIG_REGISTRY:+--build-arg "NPM_CONFIG_REGISTRY=$NPM_CONFIG_REGISTRY"} \
        --build-arg "VERSION=$TAG" --build-arg "REVISION=$REVISION" \
        --tag "$PREFIX/$name:$TAG" --file "images/$name/Containerfile" .
done
