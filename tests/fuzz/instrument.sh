#!/bin/sh
# What cargo runs instead of rustc: counters go only into our own crates (and what they make of generic code), so that the
# rest builds as usual and the fuzzer is steered by our branches. Works with the stable compiler.
rustc=$1
shift
name= before=
for word in "$@"; do
  [ "$before" = --crate-name ] && name=$word
  before=$word
done
case $name in
clearance | edge | central | fuzz)
  exec "$rustc" "$@" --cfg fuzzing -C passes=sancov-module \
    -C llvm-args=-sanitizer-coverage-level=4 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
    -C llvm-args=-sanitizer-coverage-pc-table \
    -C llvm-args=-sanitizer-coverage-trace-compares \
    -C codegen-units=1
  ;;
esac
exec "$rustc" "$@"
