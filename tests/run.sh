#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs every test. Safe to repeat; quick when nothing changed.
#
# usage: tests/run.sh [ctest arguments]      e.g. tests/run.sh -R Listing
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/install-deps.sh build run test

# The differential tests ask the real Python packages; what the npm ones ask is in tests/independent.
venv=build/venv
if ! cmp --silent tests/python.lock "$venv/ready"; then
  echo "preparing $venv: $(grep -o '^[a-z]*==[0-9.]*' tests/python.lock | tr '\n' ' ')"
  rm -rf "$venv"
  /usr/bin/python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement tests/python.lock
  cp tests/python.lock "$venv/ready"
fi

# The site tests run the real bundles.
deploy/demo/payloads.sh build/cache/downloads build/cache/trees

echo "building (release)"
cmake --preset release -DLINESIDE_PYTHON="$PWD/$venv/bin/python3" -DLINESIDE_SITE_TESTS=ON >build/configure.log ||
  { cat build/configure.log; exit 1; }
cmake --build --preset release --parallel "$(nproc)"

echo "testing"
ctest --preset release --parallel "$(nproc)" --schedule-random "$@"
