#!/bin/bash
# `make run`: what Vedette says about the sample incident, then how to point it at this machine.
# Options that belong to the recording (its year, ...) are words in examples/ssh-siege/scan.args.
set -euo pipefail
cd "$(dirname "$0")/.."
vedette=build/release/vedette
incident=examples/ssh-siege

options=()
if [ -f "$incident/scan.args" ]; then
  read -r -a options <<<"$(grep -v '^#' "$incident/scan.args" | tr '\n' ' ')"
fi
logs=("$incident"/*.log)

echo "\$ $vedette scan ${logs[*]} ${options[*]}"
"$vedette" scan "${logs[@]}" "${options[@]}"

echo
echo "Look at this machine's own logs:   sudo $vedette scan /var/log"
echo "Watch them as they are written:    sudo $vedette run --config examples/this-machine.yaml"
