#!/bin/bash
# Installs what building and testing need and is not there yet. Quick and silent when all is there.
set -euo pipefail

packages=(
  # building
  build-essential g++-12 cmake ninja-build ccache pkg-config python3 python3-yaml git
  clang-19 clang-tidy-19 clang-format-19 lld-19 libclang-rt-19-dev
  # libraries
  doctest-dev libvectorscan-dev libre2-dev libyaml-cpp-dev libsimdjson-dev libzstd-dev zlib1g-dev
  libxxhash-dev librocksdb-dev libcurl4-openssl-dev libssl-dev libfmt-dev libmicrohttpd-dev libgnutls28-dev libaudit-dev libsystemd-dev
  # tests and the sample incident
  zstd gzip procps netcat-openbsd rsyslog rsyslog-openssl nginx-light openssh-server openssh-client sshpass sudo curl
  iproute2 util-linux systemd-journal-remote python3-jsonschema
)

missing=()
installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null | awk '$2 == "installed" {print $1}')
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
if [ "${1:-}" = --check ]; then
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "vedette: these packages are missing and there is no sudo; install them as root" >&2
    exit 1
  fi
  as_root=(sudo)
fi
# Daemons that come along (rsyslog, nginx, sshd) are only run by tests, on loopback: do not start them here.
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=300 -qq "$@"
}
apt update
apt install -y --no-install-recommends "${missing[@]}" >/dev/null
