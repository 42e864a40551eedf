#!/bin/sh
# How soon solve ends after Ctrl-C: for each solver the longest of 20 times from the signal to the end of the program,
# at moments spread over its run (or its first 20 seconds), and what it exited with: 130, or 0 where it was done before.
#
# usage: sh tests/bench/interrupts.sh [PROGRAM [SOURCE TARGET [POINTS]]]
set -eu
program=${1:-build/semidual} source=${2:-digits} target=${3:-digits} points=${4:-5000}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# run OPTIONS...: starts solve in the background, where the shell would have it ignore Ctrl-C.
run() {
  env --default-signal=INT "$program" solve --source "$source" --source-points "$points" --target "$target" --target-points "$points" \
    --out "$out/run" --force "$@" >"$out/log" 2>&1 &
  pid=$!
}

measure() {
  name=$1
  shift
  start=$(milliseconds)
  run "$@"
  (sleep 20 && kill "$pid") 2>/dev/null &
  watch=$! code=0
  wait "$pid" || code=$?
  whole=$(($(milliseconds) - start))
  case $code in 0 | 130) ;; *) cat "$out/log" >&2 && exit 1 ;; esac
  kill "$watch" 2>/dev/null || true
  longest=0 codes=
  for k in $(seq 20); do
    run "$@"
    sleep "$(awk "BEGIN { print $whole * $k / 21000 }")"
    start=$(milliseconds)
    kill -INT "$pid" 2>/dev/null || true
    code=0
    wait "$pid" || code=$?
    took=$(($(milliseconds) - start))
    [ "$took" -le "$longest" ] || longest=$took
    codes="$codes $code"
  done
  echo "$name: at most $longest ms, over a run of $whole ms; exit codes$codes"
}

measure 'adam, lambda 0' --solver adam
measure 'adam, lambda 0.05' --solver adam --lambda 0.05
measure 'asgd, lambda 0.05' --solver asgd --lambda 0.05
measure 'sinkhorn, lambda 0.01' --solver sinkhorn --lambda 0.01
measure 'sinkhorn, divergence' --solver sinkhorn --lambda 0.01 --divergence on
measure 'exact' --solver exact
