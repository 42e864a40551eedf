#!/bin/sh
# Runs every floor's tests in the given build folders, those of engine and ot also with each lower SIMD level, and adds
# up doctest's counts of test cases. What failing tests printed comes at the end; the last line is `N passed, N failed`.
# Fails if any test did, or if none ran.
#
# usage: tests/run.sh BUILD...    LEVELS names the extra SIMD levels, TESTS_OPTIONS what doctest is given besides,
#                                 FLOORS the floors, RUNNER a command that runs the binaries, such as an emulator
set -eu
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE  # the program warns of kernels below the CPU's, where tests expect silence
export OMP_WAIT_POLICY=passive            # several run at a time
if [ "$(uname -m)" = x86_64 ]; then lower='baseline avx2 avx512 vnni'; else lower=; fi
logs=$(mktemp -d)
trap 'rm -rf "$logs" "$logs.failures"' EXIT
passed=0 failed=0 cores=$(getconf _NPROCESSORS_ONLN)
parts=$((8 * cores))

# part BINARY P COUNT: the P-th part of its COUNT cases. Its log ends with a line of how many passed and failed; a
# binary that ends without doctest's count (it crashed) is one failure.
part() {
  first=$(($2 * $3 / parts + 1)) last=$((($2 + 1) * $3 / parts)) log=$logs/$2
  [ "$first" -le "$last" ] || return 0
  # shellcheck disable=SC2086
  ${RUNNER-} "$1" --no-colors=true ${TESTS_OPTIONS-} --first="$first" --last="$last" >"$log" 2>&1 && ended=well || ended=badly
  f=$(sed -n 's/^\[doctest\] test cases: .* passed | *\([0-9]*\) failed.*/\1/p' "$log")
  p=$((last - first + 1 - ${f:-0}))
  if [ -z "$f" ]; then p=0 f=1; elif [ "$ended" = badly ] && [ "$f" = 0 ]; then f=1; fi
  echo "$p $f" >>"$log"
}

# run NAME BINARY: all cases of one binary, each core with every so-many-th part, as long cases stand together.
run() {
  start=$(date +%s)
  # shellcheck disable=SC2086
  count=$(${RUNNER-} "$2" --no-colors=true ${TESTS_OPTIONS-} --count | sed -n 's/.*current filters: //p') || true
  [ "$count" != 0 ] || return 0
  rm -f "$logs"/*
  [ -n "$count" ] || printf 'it does not tell its cases\n0 1\n' >"$logs/none"
  core=0
  while [ "$core" -lt "$cores" ]; do
    for number in $(seq "$core" "$cores" $((parts - 1))); do part "$2" "$number" "${count:-0}"; done &
    core=$((core + 1))
  done
  wait
  p=0 f=0
  for log in "$logs"/*; do
    counts=$(tail -n 1 "$log")
    [ "${counts#* }" = 0 ] || { echo "$1:" && sed '$d' "$log"; } >>"$logs.failures"
    p=$((p + ${counts% *})) f=$((f + ${counts#* }))
  done
  printf '%-32s %4d passed %4d failed %4d s\n' "$1" "$p" "$f" $(($(date +%s) - start))
  passed=$((passed + p)) failed=$((failed + f))
}

for build; do
  for floor in ${FLOORS-engine data models ot apps}; do
    tests=$build/tests/${floor}_tests
    run "$tests" "$tests"
    case $floor in
      engine | ot)
        for level in ${LEVELS-$lower}; do
          export SEMIDUAL_SIMD="$level"
          run "$floor ($level)" "$tests"
          unset SEMIDUAL_SIMD
        done ;;
    esac
  done
done
[ "$failed" = 0 ] || cat "$logs.failures"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
