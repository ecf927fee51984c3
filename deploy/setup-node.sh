#!/usr/bin/env bash
# Node.js (Debian's unless one is here) and the browser tests' packages, pinned in tests/browser/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v npm >/dev/null || deploy/setup-debian.sh "Node.js, which drives the browser in tests" nodejs npm
if [ tests/browser/node_modules/.package-lock.json -nt tests/browser/package-lock.json ]; then
  echo "setup: browser tests' packages: here already"
  exit 0
fi
echo "setup: installing the browser tests' packages (Playwright, which drives Chromium)"
npm ci --prefix tests/browser --no-audit --no-fund --loglevel error
touch tests/browser/node_modules/.package-lock.json
