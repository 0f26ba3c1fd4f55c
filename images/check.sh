#!/bin/sh
# Check an image from the inside: images/check.sh IMAGE NAME. Needs root, buildah and iproute2.
set -eu
cd "$(dirname "$0")/.."
image=$1 name=$2
container=$(buildah from --pull-never "$image")
place=$(buildah mount "$container")
# As a container runtime does; in this copy only.
echo "127.0.0.1 localhost $(hostname)" > "$place/etc/hosts"
trap 'buildah umount "$container" >/dev/null; buildah rm "$container" >/dev/null' EXIT
environment=$(buildah inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$image")
fail() { echo "$name: $1" >&2; exit 1; }

# As the image is: what its user may write shows.
inside() { buildah run --isolation chroot --user 10001:10001 "$container" -- "$@"; }

# As the manifests run it: a read-only root, /tmp and the home apart, no network but loopback.
confined() {
    # shellcheck disable=SC2016,SC2086  # the inner shell expands; variables are words
    unshare --mount --net --propagation private sh -euc '
        place=$1
        shift
        ip link set lo up
        mount --bind "$place" "$place"
        mount -o remount,bind,ro "$place"
        mount -t proc proc "$place/proc"
        mount --rbind /dev "$place/dev"
        mount -t tmpfs -o mode=1777 tmpfs "$place/tmp"
        [ ! -d "$place/home/analyst" ] || mount -t tmpfs -o uid=10001,gid=10001 tmpfs "$place/home/analyst"
        exec chroot --userspec=10001:10001 --groups=10001 "$place" env -i "$@"
    ' confined "$place" $environment TMPDIR=/tmp "$@"
}

# answers COMMAND QUESTION: the program starts and answers within a minute.
answers() {
    # shellcheck disable=SC2016  # the inner shell expands
    confined sh -c '
        cd /tmp
        sh -c "exec $1" >/tmp/log 2>&1 &
        left=60
        until sh -c "$2" >/dev/null 2>&1; do
            left=$((left - 1))
            if [ "$left" = 0 ] || ! kill -0 $!; then cat /tmp/log >&2; exit 1; fi
            sleep 1
        done
        kill $!
    ' answers "$1" "$2" || fail "does not answer as '$1'"
}
get() { echo "python3 -c 'import urllib.request as r; r.urlopen(\"$1\", timeout=5)'"; }

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
confined sh -c '! touch /usr/trace 2>/dev/null' || fail "its root could be written: this check checks nothing"

# --- it does not grow unnoticed: the limit, in MB, is images/sizes
size=$(du -sxm "$place" | cut -f1)
limit=$(awk -v name="$name" '$1 == name {print $2}' images/sizes)
[ "$size" -le "$limit" ] || fail "$size MB, more than the $limit MB of images/sizes"

# --- what it is for
case $name in
    analysis)
        confined fourlep --version
        confined python -c 'import coffea, dask_gateway, distributed, jupyterhub, numba, uproot, XRootD'
        confined jupyterhub-singleuser --version
        # images/analysis/openssl.cnf is in force.
        confined python -c 'import ssl; assert ssl.create_default_context().options & ssl.OP_IGNORE_UNEXPECTED_EOF'
        confined python -c 'import json; json.load(open("/etc/jupyter/labconfig/page_config.json"))'
        confined python -c 'import fourlep.facility.gateway_client'
        answers 'jupyter server --ip=127.0.0.1 --port=8888' "$(get http://127.0.0.1:8888/api)"
        answers 'dask scheduler --host 127.0.0.1' "$(get http://127.0.0.1:8787/health)"
        confined python -m fourlep.benchmark.kernels | grep -qx '0 kernels compiled' \
            || fail "every worker would compile the reader's kernels"
        confined fourlep facility stand-in --directory=/tmp/fourlep --address=root://origin//fourlep --events=2000
        ;;
    hub)
        confined python -c 'import fourlep.facility.hub.spawner, oauthenticator, jupyterhub_idle_culler, psycopg'
        # The configuration loads with the manifests' own settings.
        settings=$(grep -hv '^#' k8s/base/settings/settings.env k8s/base/hub/hub.env | grep -v ' ' | tr '\n' ' ')
        # shellcheck disable=SC2016,SC2086  # the inner shell expands; settings are words
        confined env $settings FOURLEP_SECRETS=/tmp/secrets POD_NAMESPACE=fourlep sh -euc '
            mkdir /tmp/secrets && cd /tmp/secrets
            for key in cookie-secret proxy-token gateway-token smoke-token metrics-token password; do
                head -c 32 /dev/urandom | od -An -v -tx1 | tr -d "[:space:]" > $key
            done
            python -c "
from traitlets.config import PyFileConfigLoader
config = PyFileConfigLoader(\"jupyterhub_config.py\", \"/etc/jupyterhub\").load_config()
assert config.JupyterHub.spawner_class == \"fourlep.facility.hub.spawner.HomeSpawner\""'
        ;;
    gateway) confined python -c 'import fourlep.facility.gateway.kubernetes, dask_gateway_server.backends.kubernetes.controller' ;;
    xcache)
        confined xrootd -v
        confined python3 -m fourlep facility collect --help >/dev/null
        confined sh -c 'ls /usr/lib/*/libXrdPfc*.so /usr/lib/*/libXrdPss*.so' >/dev/null
        answers 'env FOURLEP_ORIGIN_EXPORT=/fourlep FOURLEP_ORIGIN_ROOT=/tmp FOURLEP_XROOTD_WORK=/tmp \
            FOURLEP_XROOTD_ACCESS=/etc/xrootd/access.db xrootd -c /etc/xrootd/origin.cfg -p 1094' \
            'xrdfs 127.0.0.1:1094 query config version'
        answers 'python3 -m fourlep facility collect' "$(get http://127.0.0.1:9931/metrics)"
        ;;
    proxy)
        confined configurable-http-proxy --version
        answers 'configurable-http-proxy --ip=127.0.0.1 --api-ip=127.0.0.1' \
            "node -e 'fetch(\"http://127.0.0.1:8000/_chp_healthz\").then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))'"
        ;;
    traefik)
        confined traefik version
        answers 'traefik --ping=true --entrypoints.traefik.address=127.0.0.1:8080' \
            'traefik healthcheck --ping=true --entrypoints.traefik.address=127.0.0.1:8080'
        ;;
esac
echo "$name: $size MB, well"
