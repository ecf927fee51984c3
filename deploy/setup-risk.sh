#!/usr/bin/env bash
# Makes the Python environment that trains and measures the risk model, in .venv-risk. About 400 MB: only `risk train`
# and the peer of `risk evaluate` need it.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=central/risk/training/requirements.txt
if [ -f .venv-risk/installed.txt ] && cmp -s "$wanted" .venv-risk/installed.txt; then
  echo "setup: the Python environment of the risk model: here already"
  exit 0
fi
echo "setup: making the Python environment of the risk model in .venv-risk (XGBoost; about 400 MB)"
python3 -m venv .venv-risk
.venv-risk/bin/pip install --quiet --disable-pip-version-check -r "$wanted"
cp "$wanted" .venv-risk/installed.txt
