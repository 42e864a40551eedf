#!/bin/sh
# Sees to it that what semidual is built from is there. Where all of it is, this takes a blink and prints nothing. On
# Debian and its relatives (Ubuntu, Mint, ...) it installs what is missing with apt, as root or through sudo. Elsewhere,
# or without the rights, it prints the command that installs the packages of that system, and fails. For a compiler to
# 64-bit Arm it also wants an emulator and Arm's OpenBLAS, with MPI=1 two MPIs, which only Debian keeps side by side.
#
# usage: .ci/deps.sh        CXX names the compiler; OS_RELEASE another /etc/os-release, for tests
set -eu
CXX=${CXX:-g++}
case $CXX in aarch64-linux-gnu-*) arm=:arm64 ;; *) arm= ;; esac

# One line a need: the command or header that shows that it is there, and its package on Debian, Fedora, Arch and
# Homebrew (- where none is needed).
needs() {
  case $CXX in
    aarch64-linux-gnu-*) echo 'compiler g++-aarch64-linux-gnu - - -'
                         echo 'command:qemu-aarch64 qemu-user - - -' ;;
    *clang*) echo 'compiler clang clang clang llvm'
             echo '<omp.h> libomp-dev libomp-devel openmp libomp' ;;
    *)       echo 'compiler g++ gcc-c++ gcc gcc' ;;
  esac
  if [ "${MPI-}" = 1 ]; then
    echo 'command:mpicxx.openmpi libopenmpi-dev - - -'
    echo 'command:mpirun.openmpi openmpi-bin - - -'
    echo 'command:mpicxx.mpich libmpich-dev - - -'
    echo 'command:mpirun.mpich mpich - - -'
  fi
  cat <<END
command:make                make                make                   make            make
command:pkg-config          pkg-config          pkgconf-pkg-config     pkgconf         pkgconf
<openblas_config.h>         libopenblas-dev$arm openblas-devel         openblas        openblas
<xsimd/arch/xsimd_isa.hpp>  libxsimd-dev        xsimd-devel            xsimd           xsimd
<doctest/doctest.h>         doctest-dev         doctest-devel          doctest         doctest
<stb/stb_image.h>           libstb-dev          stb-devel              stb             -
<CLI/CLI.hpp>               libcli11-dev        cli11-devel            cli11           cli11
<nlohmann/json.hpp>         nlohmann-json3-dev  json-devel             nlohmann-json   nlohmann-json
<zlib.h>                    zlib1g-dev          zlib-devel             zlib            -
<zip.h>                     libzip-dev          libzip-devel           libzip          libzip
<gif_lib.h>                 libgif-dev          giflib-devel           giflib          giflib
END
}

# $CXX and the flags may be several words each. The xsimd header is one that versions before 8 lack.
# shellcheck disable=SC2046,SC2086
present() {
  case $1 in
    command:*) command -v "${1#command:}" ;;
    compiler) $CXX --version ;;
    *) printf '#if !__has_include(%s)\n#error\n#endif\n' "$1" |
       $CXX $(pkg-config --cflags openblas 2>/dev/null) -x c++ -E - ;;
  esac >/dev/null 2>&1
}

missing() {
  needs | while read -r sign names; do
    present "$sign" || echo "$sign $names"
  done
}

# The missing packages' names in the given column of the table.
packages() {
  missing | awk -v column="$1" '$column != "-" { printf "%s%s", separator, $column; separator = " " }'
}

system() {
  if [ "$(uname -s)" = Darwin ]; then echo homebrew; return; fi
  # shellcheck source=/dev/null
  ids=$(. "${OS_RELEASE:-/etc/os-release}" 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") || ids=
  for id in $ids; do
    case $id in
      debian | ubuntu) echo "$id"; return ;;
      fedora | rhel) echo fedora; return ;;
      arch) echo arch; return ;;
    esac
  done
}

stop() {
  echo "semidual: $1 Install them, then try again:" >&2
  echo "    $2" >&2
  exit 1
}

install_with_apt() {
  names=$(packages 2)
  command="apt-get install --yes --no-install-recommends $names"
  [ -z "$arm" ] || command="dpkg --add-architecture arm64 && apt-get -qq update && $command"
  if [ "$(id -u)" = 0 ]; then
    root=
  elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    root=sudo
  else
    stop 'packages are missing, and installing them takes root or sudo.' "$command"
  fi
  echo "semidual: installing $names" >&2
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  { $root apt-get -qq update && $root sh -c "$command"; } >&2 || stop 'apt could not install these packages.' "$command"
}

[ -n "$(missing)" ] || exit 0
case $(system)$arm in
  debian | ubuntu | debian:arm64) install_with_apt ;;
  *:arm64) stop 'packages are missing, and only Debian has them all.' "what Debian calls $(packages 2)" ;;
  fedora) stop 'packages are missing.' "sudo dnf install $(packages 3)" ;;
  arch) stop 'packages are missing.' "sudo pacman -S --needed $(packages 4)" ;;
  homebrew) stop 'packages are missing.' "brew install $(packages 5)
    git clone --depth 1 https://github.com/nothings/stb \"\$(brew --prefix)/include/stb\"
    export CPATH=\"\$(brew --prefix)/include\" LIBRARY_PATH=\"\$(brew --prefix)/lib\"
    make CXX=g++-15    # the g++ of the gcc package, whatever its number" ;;
  *) stop 'packages are missing.' "by your system's names, what Debian calls $(packages 2)" ;;
esac
remaining=$(missing | awk '{ printf "%s ", $1 }')
[ -z "$remaining" ] && exit 0
echo "semidual: after installing, still missing or too old: $remaining(Debian 12 and Ubuntu 24.04 are new enough)" >&2
exit 1
