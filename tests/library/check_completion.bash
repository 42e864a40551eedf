# Completes command lines as bash does at a tab: check_completion.bash SCRIPT PROGRAM.
set -eu
# shellcheck source=/dev/null
source "$1"
program=$2 failed=0
cd "$(mktemp -d)"
trap 'rm -r "$PWD"' EXIT
touch 'x y.npy' z.csv

# completes WORDS...: the last word's completions, sorted, in brackets.
completes() {
  # shellcheck disable=SC2034
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _semidual "$program" "${@: -1}" "${@: -2:1}"
  printf '%s\n' "${COMPREPLY[@]-}" | sort | sed 's/.*/[&]/' | tr -d '\n'
}

expect() {
  local wanted=$1 found
  shift
  found=$(completes "$@")
  [ "$found" = "$wanted" ] || { echo "$*: completed by $found, not $wanted"; failed=1; }
}

expect '[compare][couple][evaluate][features][figure][info][sample][solve][texture][train][verify]' semidual ''
expect '[sample][solve]' semidual s
expect '[--help][--version]' semidual --
expect '[--source-points]' semidual solve --target y.npy --source-p
expect '[-h]' semidual solve -h
expect '[x y.npy]' semidual solve --source x
expect '[x y.npy][z.csv]' semidual info ''
expect '[]' semidual nothing
exit $failed
