#!/bin/bash
# Runs what `make bench` built: build/release/bench_*, then bench/*.py and bench/*.sh. It prints; a person judges.
set -euo pipefail
cd "$(dirname "$0")/.."
export VEDETTE="$PWD/build/release/vedette"
export VEDETTE_DATA="${VEDETTE_DATA:-$PWD/../shared}"
for program in build/release/bench_* bench/*.py bench/*.sh; do
  if [ -f "$program" ] && [ -x "$program" ]; then
    echo "== $program"
    "$program"
  fi
done
