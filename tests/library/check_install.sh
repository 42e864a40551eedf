#!/bin/sh
# Installs into a folder, moves it, and uses it there: programs in C and C++ are built by pkg-config and by CMake, and
# run, the manual page and bash's completions are checked. Then it is uninstalled, and nothing may be left. Without
# CMake, groff or bash their part is left out, which is a failure where CI is true.
set -eu
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() { echo "$1"; exit 1; }

# have COMMAND WHAT: whether the command is there, which what is checked by.
have() {
  command -v "$1" >/dev/null && return
  [ "${CI-}" != true ] || fail "$1 is missing, which $2 is checked by"
  echo "left out: $2, there is no $1"
  return 1
}

make --no-print-directory install DESTDIR="$root/first" PREFIX=/opt
mkdir "$root/work"
mv "$root/first/opt" "$root/usr"
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig" LD_LIBRARY_PATH="$root/usr/lib"
program=$root/usr/bin/semidual library=$root/usr/lib/libsemidual.so.0

# Nothing but the interface can be seen, and OpenBLAS is the library's own where it can be.
for symbols in "$(nm --dynamic --defined-only "$library")" "$(nm --extern-only --defined-only "${library%.so.0}.a")"; do
  others=$(echo "$symbols" | awk 'NF == 3 && $3 !~ /^semidual_/')
  [ -z "$others" ] || fail "symbols that should be hidden: $others"
done
if [ -e "$(pkg-config --variable=libdir openblas)/libopenblas.a" ] && ldd "$library" | grep -i blas; then
  fail 'the library wants a shared OpenBLAS'
fi

# The code blocks of a language in the README.
example() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/d;p}" "$here/../../apps/library/README.md"; }

cd "$root/work"
example cpp >example.inc
sed -n '/^    semidual::target/,/^$/s/^    //p' "$here/../../README.md" >readme.inc
"$program" --version
"$program" train --data digits --points 40 --inner 1 --batch 4 --iterations 1 --threads 1 --out run >/dev/null
flags=$(pkg-config --cflags --libs semidual)
static=$(pkg-config --cflags --libs --static semidual | sed 's/-lsemidual/-l:libsemidual.a/')
warn='-Wall -Wextra -Wshadow -Wconversion -Werror -pedantic'
# shellcheck disable=SC2086
{
  gcc -std=c99 $warn "$here/consumer.c" -o in_c $flags -lm
  gcc -std=c99 $warn "$here/consumer.c" -o in_c_static $static
  g++ -x c++ $warn "$here/consumer.c" -o c_in_c++ $flags
  g++ -std=c++20 $warn -I. "$here/consumer.cpp" -o in_c++ $flags
}
for consumer in in_c in_c_static c_in_c++; do ./$consumer; done
./in_c++ run

if have cmake 'the CMake package'; then
  for language in C "C;CXX"; do
    build=${language#C;}
    mkdir "$build"
    example cmake >"$build"/cmake.inc
    cp example.inc readme.inc "$here/CMakeLists.txt" "$here/consumer.c" "$build"
    cp "$here/consumer.cpp" "$build"/example.cpp
    cmake -S "$build" -B "$build" -DLANGUAGES="$language" -DCMAKE_PREFIX_PATH="$root/usr" >log || fail "$(cat log)"
    cmake --build "$build" >log || fail "$(cat log)"
    for consumer in in_c in_c_static; do "$build"/$consumer; done
  done
  for consumer in example example_static; do CXX/$consumer run; done
fi

if have groff 'the manual page'; then
  warnings=$(groff -man -ww -Tascii -P-cbou "$root/usr/share/man/man1/semidual.1" 2>&1 >page)
  [ -z "$warnings" ] || fail "$warnings"
  for command in $("$program" --help | sed -n '/^Subcommands:/,/^$/s/^  \([^ ]*\).*/\1/p'); do
    awk -v command="$command" '/^[A-Z]/ { here = tolower($0) == command; next } here' page >section
    for option in $("$program" "$command" --help | sed -n 's/^  \(--[^ ]*\).*/\1/p'); do
      grep -q "^ *$option\( \|\$\)" section || fail "the manual page lacks $option of $command"
    done
  done
fi

if have bash "bash's completions"; then
  bash "$here/check_completion.bash" "$root/usr/share/bash-completion/completions/semidual" "$program"
fi

cd "$here/../.."
make --no-print-directory uninstall PREFIX="$root/usr"
left=$(find "$root/usr" -type f -o -type l -o -name '*semidual*')
[ -z "$left" ] || fail "left behind: $left"
