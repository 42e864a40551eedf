# Completes `semidual` in bash: its commands and their options, which its --help says at that moment, and files.
_semidual() {
  local word=${COMP_WORDS[COMP_CWORD]}
  if [[ $word == -* ]]; then
    local command=()
    ((COMP_CWORD == 1)) || command=("${COMP_WORDS[1]}")
    mapfile -t COMPREPLY < <(compgen -W "$("$1" "${command[@]}" --help 2>/dev/null |
      sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr , ' ')" -- "$word")
  elif ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null |
      sed -n '/^Subcommands:/,$s/^  \([^ ]*\).*/\1/p')" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _semidual semidual
