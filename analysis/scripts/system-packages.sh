#!/bin/sh
# Make sure that Debian packages are there: install them as root or with sudo, name them elsewhere.
#
# usage: system-packages.sh PACKAGE...
#        system-packages.sh --python PYTHON    what `PYTHON -m venv` needs
set -eu

if [ "${1:-}" = "--python" ]; then
    python=${2:?the interpreter}
    if "$python" -c 'import ensurepip' 2>/dev/null; then exit 0; fi
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    set -- "python${version}-venv"
fi

missing=""
for package in "$@"; do
    # A program that came another way (a newer Node.js, say) serves as well as Debian's package.
    case "$package" in
        nodejs) program=node ;;
        npm | chromium | shellcheck | buildah | mmdebstrap | git) program=$package ;;
        *) program= ;;
    esac
    if [ -n "$program" ] && command -v "$program" >/dev/null 2>&1; then continue; fi
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "These programs are needed (Debian names):$missing" >&2
    echo "  -> install them with this system's package manager, then run the same command again" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "These Debian packages are needed:$missing" >&2
    echo "  -> ask an administrator for: apt-get install$missing" >&2
    exit 1
fi

echo "Installing Debian packages:$missing" >&2
# $as_root and $missing are lists of words on purpose.
# shellcheck disable=SC2086
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
