#!/usr/bin/env bash
# Makes the Python environment for training in .venv. About 6 GB: only `make train` needs it.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=models/training/requirements.txt
if [ -f .venv/installed.txt ] && cmp -s "$wanted" .venv/installed.txt; then
  echo "setup: the Python environment for training: here already"
  exit 0
fi
echo "setup: making the Python environment for training in .venv (PyTorch; about 6 GB, some minutes)"
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r "$wanted"
cp "$wanted" .venv/installed.txt
