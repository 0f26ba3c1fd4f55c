#!/bin/sh
# Resolve what each image installs into images/NAME/requirements.txt, in the versions of
# locks/dev.txt, with hashes and without addresses. Needs uv. `make lock` comes first.
set -eu
cd "$(dirname "$0")/.."
lock() {
    name=$1
    shift
    uv pip compile "$@" "images/$name/requirements.in" --universal --python-version 3.13 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q \
        -c locks/dev.txt -o "images/$name/requirements.txt"
}
lock analysis pyproject.toml --extra gateway --extra ml --extra build
lock hub
lock gateway
lock traefik
