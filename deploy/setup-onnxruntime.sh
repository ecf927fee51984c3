#!/usr/bin/env bash
# Brings the ONNX Runtime library, which reads the plates, into .tools/onnxruntime. Debian has no package of it, so it
# is taken out of the Python wheel: one version, its digest checked. The commands find it there by themselves.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.32.0
declare -A digest=(
  [x86_64]=5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d
  [aarch64]=2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c
)
machine=$(uname -m)
target=.tools/onnxruntime
wanted=${digest[$machine]:-}
[ -n "$wanted" ] || { echo "setup: no ONNX Runtime is known for $machine (x86_64 and aarch64 are)" >&2; exit 1; }
if [ -f "$target/libonnxruntime.so" ] && [ "$(cat "$target/wheel.sha256" 2>/dev/null)" = "$wanted" ]; then
  echo "setup: ONNX Runtime $version: here already"
  exit 0
fi
python3 -m pip --version >/dev/null 2>&1 || { echo "setup: pip is missing: apt-get install python3-pip" >&2; exit 1; }
echo "setup: fetching ONNX Runtime $version (reads the plates) into $target"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
  --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" -d "$work" "onnxruntime==$version"
wheel=$(echo "$work"/onnxruntime-*.whl)
echo "$wanted  $wheel" | sha256sum --check --quiet || {
  echo "setup: the wheel is not the one that was checked; nothing was installed" >&2; exit 1; }
mkdir -p "$target"
python3 - "$wheel" "$target" <<'PY'
import pathlib, sys, zipfile
wheel, target = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
for name in wheel.namelist():
    base = pathlib.PurePosixPath(name).name
    if base.startswith("libonnxruntime.so"):
        (target / "libonnxruntime.so.new").write_bytes(wheel.read(name))
    elif base in ("LICENSE", "ThirdPartyNotices.txt"):
        (target / base).write_bytes(wheel.read(name))
PY
mv "$target/libonnxruntime.so.new" "$target/libonnxruntime.so"
echo "$wanted" > "$target/wheel.sha256"
