#!/bin/sh
# Runs every floor's tests in the given build folders, those of engine and ot also with each lower SIMD level, and adds
# up doctest's counts of test cases. The last line is `N passed, N failed`; fails if any test did, or if none ran.
#
# usage: tests/run.sh BUILD...    LEVELS names the extra SIMD levels, TESTS_OPTIONS what doctest is given besides,
#                                 FLOORS the floors, RUNNER a command that runs the binaries, such as an emulator
set -eu
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE  # the program warns of kernels below the CPU's, where tests expect silence
if [ "$(uname -m)" = x86_64 ]; then lower='baseline avx2 avx512 vnni'; else lower=; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# run NAME BINARY: one binary. One that ends without a count (it crashed) is one failure.
run() {
  start=$(date +%s)
  # shellcheck disable=SC2086
  ${RUNNER-} "$2" --no-colors=true ${TESTS_OPTIONS-} >"$log" 2>&1 && ended=well || ended=badly
  counts=$(sed -n 's/^\[doctest\] test cases: .*| *\([0-9]*\) passed | *\([0-9]*\) failed.*/\1 \2/p' "$log")
  p=${counts% *} f=${counts#* }
  if [ -z "$counts" ]; then p=0 f=1; elif [ "$ended" = badly ] && [ "$f" = 0 ]; then f=1; fi
  [ "$f" = 0 ] || cat "$log"
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
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
