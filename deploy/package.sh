#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages lineside-node, lineside-seeder and lineside-tools into build/packages/.
#
# usage: deploy/package.sh
#
# The same commit gives the same bytes: the programs carry no path and no time, and the archives take the
# changelog's time. Installs what is missing to build them.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
deploy/install-deps.sh build package

echo "building the programs (release)"
cmake --preset release >build/configure-package.log || { cat build/configure-package.log; exit 1; }
cmake --build --preset release --parallel "$(nproc)" --target programs

version=$(sed -n '1s/.*(\(.*\)).*/\1/p' deploy/debian/changelog)
stage=build/package/lineside-$version
rm -rf build/package build/packages
mkdir -p "$stage/debian" build/packages
cp -r deploy/debian/. "$stage/debian/"
cp deploy/systemd/lineside-node.service "$stage/debian/lineside-node.service"
cp deploy/systemd/lineside-seeder.service "$stage/debian/lineside-seeder.service"
cp deploy/systemd/lineside-seeder.socket "$stage/debian/lineside-seeder.socket"
mkdir -p "$stage/node" "$stage/seeder"
cp node/README.md "$stage/node/"
cp seeder/README.md "$stage/seeder/"

echo "packing $version"
(cd "$stage" && LINESIDE_BUILD="$top/build/release" LINESIDE_SOURCE="$top" dpkg-buildpackage --build=binary --no-sign --no-check-builddeps) \
  >build/package/log 2>&1 || { tail -40 build/package/log; exit 1; }
mv build/package/*.deb build/packages/
ls -l build/packages
