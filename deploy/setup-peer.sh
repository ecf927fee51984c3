#!/usr/bin/env bash
# Makes the Python environment of the peer in .peer: RapidOCR (Apache-2.0), whose package carries its models. About 400 MB:
# only `make evaluate PEER=1` needs it. Nothing of it ships.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted="rapidocr-onnxruntime==1.4.4"
if [ "$(cat .peer/installed.txt 2>/dev/null)" = "$wanted" ]; then
  echo "setup: the peer's Python environment: here already"
  exit 0
fi
echo "setup: making the peer's Python environment in .peer ($wanted; about 400 MB, a minute or two)"
python3 -m venv .peer
.peer/bin/pip install --quiet --disable-pip-version-check "$wanted"
# The headless build is the same OpenCV without a window system, which a server has not.
.peer/bin/pip uninstall --quiet --disable-pip-version-check --yes opencv-python
.peer/bin/pip install --quiet --disable-pip-version-check opencv-python-headless
echo "$wanted" > .peer/installed.txt
