#!/usr/bin/env bash
# Makes the Python environment of Schemathesis, which tests the API by its description, in tests/schemathesis/.venv.
set -euo pipefail
cd "$(dirname "$0")/../tests/schemathesis"
if [ -x .venv/bin/schemathesis ] && cmp -s requirements.txt .venv/installed.txt; then
  echo "setup: Schemathesis: here already"
  exit 0
fi
echo "setup: installing Schemathesis in tests/schemathesis/.venv"
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
cp requirements.txt .venv/installed.txt
