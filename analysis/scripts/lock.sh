#!/bin/sh
# Resolve pyproject.toml into locks/: one resolution for Python 3.11 to 3.13, with hashes and
# without addresses. locks/run.txt is a subset of locks/dev.txt.
set -eu
cd "$(dirname "$0")/../.."
lock() {
    uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header -q "$@"
}
lock --extra dev -o locks/dev.txt
lock -c locks/dev.txt --extra ml --extra build -o locks/run.txt
