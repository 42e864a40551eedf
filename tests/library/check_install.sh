#!/bin/sh
# Installs into a folder of its own, builds consumer.c there by pkg-config, as C and as C++, runs it, and takes the
# installation away again: nothing may be left.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
here=$(dirname "$0")
make --no-print-directory install PREFIX="$root/usr"
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig" LD_LIBRARY_PATH="$root/usr/lib"
flags=$(pkg-config --cflags --libs semidual)
# shellcheck disable=SC2086
gcc -std=c99 -Wall -Wextra -Werror -pedantic "$here/consumer.c" -o "$root/in_c" $flags -lm
# shellcheck disable=SC2086
g++ -x c++ -Wall -Wextra -Werror "$here/consumer.c" -o "$root/in_c++" $flags
"$root/in_c"
"$root/in_c++"
"$root/usr/bin/semidual" --version
make --no-print-directory uninstall PREFIX="$root/usr"
left=$(find "$root/usr" -type f -o -type l)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
