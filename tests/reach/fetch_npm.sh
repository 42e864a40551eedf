#!/bin/sh
# fetch_npm.sh PACKAGE FOLDER: fetches a package of npm, such as vega-datasets, and writes each table in it, .json or
# .csv, as FOLDER/NAME.csv.
set -eu
[ $# = 2 ] || { echo "usage: $0 PACKAGE FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
cd "$2"
npm pack --silent "$1" > packed
tar xzf "$(tail -n 1 packed)"
find package -name '*.json' -o -name '*.csv' | grep -v 'package/[a-z]*\.json' | sort | while read -r table; do
  python3 "$here/complete_table.py" "$table" "$(basename "${table%.*}").csv" || true
done
rm -rf package packed ./*.tgz
