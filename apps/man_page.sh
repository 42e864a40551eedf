#!/bin/sh
# The program's manual page, in troff: what its --help says and those of its commands.
#
# usage: man_page.sh PROGRAM >semidual.1
set -eu
program=$1

# page [COMMAND]: lines of text, entries of lists, whose texts begin in column 25, and examples.
page() {
  "$program" "$@" --help | awk -v command="${1-}" -v version="$("$program" --version)" \
    -v date="$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%F)" '
    function roff(text) {
      gsub(/\\/, "\\(rs", text); gsub(/-/, "\\-", text); gsub(/\^/, "\\(ha", text); gsub(/`/, "\\(ga", text)
      return text ~ /^[.'\'']/ ? "\\&" text : text
    }
    function entry(term, text) {
      gsub(/,/, ", ", term)
      print ".TP\n.B " roff(term)
      if (text != "") print roff(text)
    }
    NR == 1 && command { about = $0; next }
    NR == 1 { print ".TH SEMIDUAL 1 " date " \"" version "\" \"User Commands\"\n.SH NAME"
              sub(/^semidual /, ""); print "semidual \\- " roff($0); next }
    /^Usage: / { print ".SH " (command ? toupper(command) : "SYNOPSIS") "\n.B " roff(substr($0, 8))
                 if (command) print ".PP\n" roff(about); next }
    /^(Positionals|Options|Subcommands):$/ { if (!command) print ".SH " toupper(substr($0, 1, length - 1)); next }
    /^  [^ ]/ { term = substr($0, 3, 22); sub(/( REQUIRED)? *$/, "", term); entry(term, substr($0, 25)); next }
    example && /^ +semidual / { sub(/^ +/, ""); print roff($0); next }
    /^    / { print roff(substr($0, 25)); next }
    example { print ".fi\n.RE"; example = 0 }
    /^$/ { paragraph = 1; next }
    paragraph { print ".PP"; paragraph = 0 }
    /: semidual / { print substr($0, 1, index($0, ":")) "\n.PP\n.RS\n.nf\n" roff(substr($0, index($0, ": ") + 2))
                    example = 1; next }
    { print roff($0) }
    END { if (example) print ".fi\n.RE" }'
}

page
"$program" --help | sed -n '/^Subcommands:/,/^$/s/^  \([^ ]*\).*/\1/p' | while read -r command; do page "$command"; done
