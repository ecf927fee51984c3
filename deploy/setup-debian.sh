#!/usr/bin/env bash
# Installs the Debian packages named after the first argument, which says what they are for. Asks apt only when
# something is missing.
set -euo pipefail
why=$1; shift
missing=()
for package; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: $why: here already"
  exit 0
fi
echo "setup: installing for $why: ${missing[*]}"
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
log=$(mktemp)
if ! { "${sudo[@]}" apt-get update -q && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  echo "setup: apt-get could not install ${missing[*]}. Is this Debian 12 with its package sources reachable?" >&2
  exit 1
fi
rm -f "$log"
