#!/bin/sh
# The tests of the Python face on build/libsemidual.so, then a wheel that is installed into an environment of its own.
# Exits with 77 where Python 3 or NumPy is missing.
set -eu
for python in python3 /usr/bin/python3; do
  "$python" -c 'import numpy' 2>/dev/null && break
done
"$python" -c 'import numpy' 2>/dev/null || { echo 'skipped: no python3 with numpy'; exit 77; }
export SEMIDUAL_LIBRARY="$PWD/build/libsemidual.so" PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=apps/python "$python" -m unittest discover -s tests/python
unset SEMIDUAL_LIBRARY
"$python" -c 'import venv, ensurepip' 2>/dev/null || { echo 'the wheel: left out, no python3-venv'; exit 0; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
wheel=$("$python" apps/python/make_wheel.py build/libsemidual.so "$root/wheel")
"$python" -m venv --system-site-packages "$root/env"
"$root/env/bin/pip" install --quiet --no-index --no-deps "$wheel"
cd "$root" && env/bin/python -c 'import semidual, numpy; assert semidual.c_transform([[0.0]], [[3.0]], [0.0])[0] == 9'
echo 'the wheel installs'
