#!/bin/sh
# Check an image from the inside: images/check.sh IMAGE NAME. Needs root and buildah.
set -eu
cd "$(dirname "$0")/.."
image=$1 name=$2
container=$(buildah from --pull-never "$image")
trap 'buildah rm "$container" >/dev/null' EXIT
inside() { buildah run --isolation chroot --user 10001:10001 "$container" -- "$@"; }
fail() { echo "$name: $1" >&2; exit 1; }

# --- who it runs as, and what it says of itself
settings=$(buildah inspect --type image "$image")
echo "$settings" | grep -q '"User": "10001:10001"' || fail "runs as another user than 10001"
echo "$settings" | grep -q 'org.opencontainers.image.revision' || fail "does not say its revision"
echo "$settings" | grep -qi 'PIP_INDEX_URL=\|http_proxy=' && fail "carries the builder's settings"

# --- nothing writable that should not be, nothing set-user-id for a user without rights
# shellcheck disable=SC2016  # the inner shell expands
writable=$(inside sh -c 'find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp \
    -o -path /var/tmp -o -path /run/lock -o -path /home/analyst \) -prune -o -writable -not -type l -print 2>/dev/null; true' | head -5)
[ -z "$writable" ] || fail "its user can write to $writable"

# --- it does not grow unnoticed: the limit, in MB, is images/sizes
place=$(buildah mount "$container")
size=$(du -sxm "$place" | cut -f1)
buildah umount "$container" >/dev/null
limit=$(awk -v name="$name" '$1 == name {print $2}' images/sizes)
[ "$size" -le "$limit" ] || fail "$size MB, more than the $limit MB of images/sizes"

# --- what it is for
case $name in
    analysis)
        inside fourlep --version
        inside python -c 'import coffea, dask_gateway, distributed, jupyterhub, numba, uproot, XRootD'
        inside jupyterhub-singleuser --version
        ;;
    hub) inside python -c 'import kubespawner, oauthenticator, jupyterhub_idle_culler, fourlep.facility.hub.kubernetes' ;;
    gateway) inside python -c 'import fourlep.facility.gateway.kubernetes, dask_gateway_server.backends.kubernetes.controller' ;;
    xcache)
        inside xrootd -v
        inside python3 -m fourlep facility collect --help >/dev/null
        inside sh -c 'ls /usr/lib/*/libXrdPfc*.so /usr/lib/*/libXrdPss*.so' >/dev/null
        ;;
    proxy) inside configurable-http-proxy --version ;;
    traefik) inside traefik version ;;
esac
echo "$name: $size MB, well"
