#!/bin/sh
# Downloads the four MNIST files, gzipped, and checks their SHA-256.
#
#   sh data/fetch_mnist.sh [FOLDER]        FOLDER: where they go, data/mnist beside this script if not given
#
# Environment:
#   SEMIDUAL_MIRRORS    addresses to try in turn, separated by spaces, each ending in /
#   SEMIDUAL_CHECKSUMS  a file of lines "SHA-256 NAME" in place of those below; NAME.gz is downloaded, the SHA-256 is
#                       that of NAME uncompressed
set -eu

folder=${1:-$(dirname "$0")/mnist}
mirrors=${SEMIDUAL_MIRRORS:-https://ossci-datasets.s3.amazonaws.com/mnist/
  https://storage.googleapis.com/cvdf-datasets/mnist/}
if [ -n "${SEMIDUAL_CHECKSUMS:-}" ]; then
  checksums=$(cat "$SEMIDUAL_CHECKSUMS")
else
  checksums='ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 t10k-labels-idx1-ubyte'
fi

fail() {
  echo "fetch_mnist: $*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# download URL FILE: what goes wrong is printed on standard output.
if has curl; then
  download() { curl -fsSL --connect-timeout 20 --speed-limit 1 --speed-time 60 -o "$2" "$1" 2>&1; }
elif has wget; then
  download() { wget -nv --tries=2 --timeout=30 -O "$2" "$1" 2>&1; }
else
  fail "needs curl or wget, install one of them"
fi

if has sha256sum; then
  sha256() { sha256sum; }
elif has shasum; then
  sha256() { shasum -a 256; }
else
  fail "needs sha256sum or shasum, install one of them"
fi
has gzip || fail "needs gzip, install it"

# is_right FILE.gz SHA: whether the file is sound and its content has that SHA-256.
is_right() {
  gzip -t <"$1" 2>/dev/null || return 1
  digest=$(gzip -dc <"$1" | sha256)
  [ "${digest%% *}" = "$2" ]
}

mkdir -p "$folder" 2>/dev/null || fail "$folder: can't be made, give another folder"
[ -w "$folder" ] || fail "$folder: can't be written, give another folder"
part=$folder/.fetch_mnist.$$
trap 'rm -f "$part"' EXIT
trap 'exit 130' HUP INT TERM

fetch() {
  name=$1.gz sha=$2 tried=
  if [ -f "$folder/$name" ] && is_right "$folder/$name" "$sha"; then
    echo "$folder/$name: already there"
    return
  fi
  for mirror in $mirrors; do
    echo "$folder/$name: from $mirror"
    if ! reason=$(download "$mirror$name" "$part"); then
      tried="$tried; $mirror$name: $(echo "$reason" | tr '\n' ' ')"
    elif ! is_right "$part" "$sha"; then
      tried="$tried; $mirror$name: damaged or of another SHA-256"
    else
      mv -f "$part" "$folder/$name" || fail "$folder/$name: can't be written"
      return
    fi
  done
  fail "$name: no mirror had it${tried}"
}

# Not a pipe, whose loop would run, and fail, in a shell of its own.
while read -r sha name; do
  fetch "$name" "$sha" </dev/null
done <<END
$checksums
END
