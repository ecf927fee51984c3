#!/usr/bin/env bash
# Installs what the browser tests need of Node.js: playwright-core, which drives Debian's Chromium.
set -euo pipefail
cd "$(dirname "$0")/../tests/browser"
if ! command -v npm >/dev/null; then
  ../../deploy/setup-debian.sh "Node.js, which drives the browser in the tests" nodejs npm
fi
if [ -d node_modules ] && [ node_modules -nt package-lock.json ]; then
  echo "setup: playwright-core: here already"
else
  echo "setup: installing playwright-core (drives Chromium in the tests)"
  npm ci --no-audit --no-fund --silent
  touch node_modules
fi
