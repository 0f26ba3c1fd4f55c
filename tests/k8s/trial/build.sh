#!/bin/sh
# Build a Kubernetes of one node from Debian's archive: tests/k8s/trial/build.sh DIRECTORY
#
# Needs root, mmdebstrap, buildah and 15 GB. Programs and images are left in DIRECTORY for node.py.
# Debian's packages of newer Kubernetes have the source of kubectl only; that of Debian 12, 1.20.2,
# is the last one that is whole.
set -eu
[ $# = 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
mkdir -p "$1"
PLACE=$(cd "$1" && pwd)
cd "$(dirname "$0")/../../.."
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
ROOT=$PLACE/root
SOURCE=$ROOT/go/src/k8s.io/kubernetes
mkdir -p "$PLACE/bin" "$PLACE/tools" "$PLACE/images"

# --- a Debian 12 with Go, the source, and the programs that it packages
[ -x "$ROOT/usr/bin/go" ] || nice -n 19 mmdebstrap --variant=minbase --quiet \
    --include=ca-certificates,dpkg-dev,golang-go,golang-github-modern-go-reflect2-dev \
    bookworm "$ROOT" "deb $MIRROR bookworm main" "deb-src $MIRROR bookworm main"
inside() {
    nice -n 19 chroot "$ROOT" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        GOPATH=/go GO111MODULE=off CGO_ENABLED=0 GOFLAGS=-trimpath sh -euc "$1"
}
mountpoint -q "$ROOT/proc" || mount -t proc proc "$ROOT/proc"
trap 'umount "$ROOT/proc"' EXIT
[ -d "$SOURCE" ] || {
    # shellcheck disable=SC2016  # the inner shell expands
    inside 'apt-get update -qq
        mkdir -p /packages && cd /packages
        apt-get -qq --download-only -o APT::Sandbox::User=root source kubernetes
        apt-get -qq -o APT::Sandbox::User=root download etcd-server containerd runc containernetworking-plugins
        mkdir -p /go/src/k8s.io/kubernetes
        tar xzf kubernetes_*.orig.tar.gz --strip-components=1 -C /go/src/k8s.io/kubernetes
        # The vendored one crashes with Go 1.18 and newer.
        reflect=github.com/modern-go/reflect2
        rm -rf /go/src/k8s.io/kubernetes/vendor/$reflect/*
        cp -r /usr/share/gocode/src/$reflect/. /go/src/k8s.io/kubernetes/vendor/$reflect/'
    # Volumes that a user other than root may write to, as other provisioners make them.
    sed -i 's/os.MkdirAll(pv.Spec.HostPath.Path, 0750)/os.MkdirAll(pv.Spec.HostPath.Path, 0777)/' \
        "$SOURCE/pkg/volume/hostpath/host_path.go"
    # Server-side apply of a Service whose port names no protocol, as since 1.21.
    sed -i '/The IP protocol for this port. Supports "TCP", "UDP", and "SCTP"./,/Protocol Protocol/ s#^\t// +optional#\t// +default="TCP"\n\t// +optional#' \
        "$SOURCE/staging/src/k8s.io/api/core/v1/types.go"
}
for package in "$ROOT"/packages/*.deb; do dpkg -x "$package" "$PLACE/tools"; done

# --- the programs, 5 minutes of two cores
# shellcheck disable=SC2016  # the inner shell expands
inside 'cd /go/src/k8s.io/kubernetes
    mkdir -p /root/bin
    made=pkg/generated/openapi/zz_generated.openapi.go
    [ -s "$made" ] || {
        go build -o /root/openapi-gen ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
        folders=$(grep -rl "+k8s:openapi-gen=true" --include="*.go" pkg staging/src \
            | grep -v -E "zz_generated|_test.go|/config|componentconfig|kubelet/apis|kube-scheduler|kube-controller-manager|kube-proxy|abac|cloud-provider|audit|apis/example|/testdata/|/test/|sample-|code-generator|_examples" \
            | xargs -n1 dirname | sed -e "s#^staging/src/##" -e "s#^pkg/#k8s.io/kubernetes/pkg/#" | sort -u | paste -sd,)
        /root/openapi-gen -O zz_generated.openapi --go-header-file hack/boilerplate/boilerplate.generatego.txt \
            -i "$folders" -p k8s.io/kubernetes/pkg/generated/openapi -r /dev/null --output-base /go/src
    }
    flags="-s -w"
    for package in client-go/pkg/version component-base/version; do
        package=k8s.io/kubernetes/vendor/k8s.io/$package
        flags="$flags -X $package.gitVersion=v1.20.2 -X $package.gitMajor=1 -X $package.gitMinor=20"
    done
    for part in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
        go build -p 1 -tags providerless,dockerless -ldflags "$flags" -o /root/bin/$part ./cmd/$part
    done
    mkdir -p /root/pause
    printf "%s\n" "package main" "import (\"os\"; \"os/signal\"; \"syscall\")" \
        "func main() { end := make(chan os.Signal, 1); signal.Notify(end, syscall.SIGINT, syscall.SIGTERM); <-end }" \
        > /root/pause/main.go
    cd /root/pause && go build -ldflags "-s -w" -o /root/bin/pause .'
cp "$ROOT"/root/bin/* "$PLACE/bin/"

# --- the images: ours, and the one that holds a pod together
STORAGE=$PLACE/storage nice -n 19 images/test.sh
CONTAINERS_STORAGE_CONF=$PLACE/storage/storage.conf
export CONTAINERS_STORAGE_CONF
container=$(buildah from scratch)
buildah copy -q "$container" "$PLACE/bin/pause" /pause >/dev/null
buildah config --entrypoint '["/pause"]' --user 65535:65535 "$container"
buildah commit -q --rm "$container" docker.io/fourlep/pause:test >/dev/null
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' analysis/fourlep/__init__.py)
for name in pause analysis hub gateway xcache proxy traefik; do
    rm -f "$PLACE/images/$name.tar"
    buildah push -q "docker.io/fourlep/$name:test" \
        "docker-archive:$PLACE/images/$name.tar:docker.io/fourlep/$name:$version"
done
echo "programs and images are in $PLACE; node.py starts it"
