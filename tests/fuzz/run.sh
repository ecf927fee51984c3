#!/usr/bin/env bash
# Fuzzes every decoder, each for SECONDS (default 60), at low priority:
#   tests/fuzz/run.sh                 all targets, a minute each
#   tests/fuzz/run.sh 3600 floor api  two of them, an hour each
#   tests/fuzz/run.sh 0               only minimise the corpora again
# With CARGO_TARGET_DIR=$PWD/target the product's build is shared: only our own crates are built anew, with counters.
# What was found lies in work/crashes, and the script exits with 1; the corpora in corpus/ are minimised and written anew.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true
RUSTC_WRAPPER=$PWD/instrument.sh nice -n 10 cargo build --quiet
fuzzer=${CARGO_TARGET_DIR:-target}/debug/fuzz
tend() { FUZZ_DO=$1 FUZZ_TARGET=$2 FUZZ_FOLDER=$3 "$fuzzer"; }
mkdir -p work/crashes
failed=0
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(tend names - -)
for target in "${targets[@]}"; do
  found=work/corpus/$target
  smallest=work/smallest/$target
  rm -rf "$smallest"
  mkdir -p "$smallest"
  tend unpack "$target" "$found"
  export FUZZ_TARGET=$target
  if [ "$seconds" -gt 0 ]; then
    # Longer inputs find no other branches, and a corpus of them is no use to anybody.
    nice -n 10 "$fuzzer" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="work/crashes/$target-" "$found" > "work/$target.log" 2>&1 || failed=1
  fi
  # Files of consignments are long before they say anything: fewer of them are kept.
  keep="-merge=1 -max_len=1024"
  case $target in
  batch_csv) keep="-set_cover_merge=1 -max_len=1024" ;;
  batch_*) keep="-set_cover_merge=1 -max_len=2048" ;;
  esac
  # shellcheck disable=SC2086 # two words
  if nice -n 10 "$fuzzer" $keep "$smallest" "$found" > "work/$target.merge.log" 2>&1; then
    tend pack "$target" "$smallest"
  else
    failed=1
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "work/$target.log" 2> /dev/null || true)
  covered=$(grep -o 'cov: [0-9]*' "work/$target.merge.log" | tail -1 | cut -d' ' -f2 || true)
  crashes=$(find work/crashes -name "$target-*" | wc -l)
  printf '{"target":"%s","seconds":%s,"executions":%s,"edges":%s,"corpus":%s,"crashes":%s}\n' "$target" "$seconds" \
    "${runs:-0}" "${covered:-0}" "$(find "$smallest" -type f | wc -l)" "$crashes"
done
exit $failed
