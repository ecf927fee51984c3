#!/usr/bin/env bash
# Installs the cargo commands that the targets use: cargo-nextest by default, or those named.
set -euo pipefail
command -v cargo >/dev/null || { echo "setup: Rust is missing: install rustup from https://rustup.rs, then run this again" >&2; exit 1; }
declare -A version=([cargo-nextest]=0.9.143 [cargo-deny]=0.20.2)
declare -A why=([cargo-nextest]="runs the tests, each in its own process" [cargo-deny]="checks the dependencies' licences and sources")
for tool in "${@:-cargo-nextest}"; do
  if command -v "$tool" >/dev/null; then
    echo "setup: $tool: here already"
  else
    echo "setup: building $tool ${version[$tool]} (${why[$tool]})"
    cargo install --quiet --locked "$tool" --version "${version[$tool]}"
  fi
done
