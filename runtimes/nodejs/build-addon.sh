#!/bin/sh
# Builds the native part of both client generations; runs in the toolchain container with this layout:
#   client-3/ client-4/   the published packages      napi/  node-addon-api      node/  headers of a Node.js release
# libcurl is built once, by client 4's own script: client 3's copy would need autoconf, and is used for the same handful of calls.
# Each client gets its own aws-lambda-cpp, for the two differ in how they keep connections.
set -e
here=$(pwd)
artifacts="$here/client-4/deps/artifacts"
(cd client-4 && sh scripts/preinstall.sh)

addon() {
  g++ -O2 -fPIC -shared -std=c++20 -static-libstdc++ -static-libgcc -fvisibility=hidden \
    -DNAPI_VERSION=8 -DNODE_GYP_MODULE_NAME=rapid_client -DBUILDING_NODE_EXTENSION \
    "-I$here/node" "-I$here/napi" "-I$2/include" "-I$artifacts/include" "$1" "$3" "$artifacts/lib/libcurl.a" -pthread -s -o "$4"
}

mkdir -p out/client-3 out/client-4 cpp-3
addon client-4/src/native/rapid-client.cc "$artifacts" "$artifacts/lib/libaws-lambda-runtime.a" out/client-4/rapid-client.node

tar xzf client-3/deps/aws-lambda-cpp-*.tar.gz --no-same-owner --strip-components=1 -C cpp-3
mkdir -p cpp-3/build cpp-3/artifacts
(cd cpp-3/build \
  && cmake .. -DCMAKE_CXX_FLAGS=-fPIC "-DCMAKE_INSTALL_PREFIX=$here/cpp-3/artifacts" "-DCMAKE_PREFIX_PATH=$artifacts" \
  && make -j "$(nproc)" && make install)
addon client-3/src/rapid-client.cc "$here/cpp-3/artifacts" "$here/cpp-3/artifacts/lib/libaws-lambda-runtime.a" out/client-3/rapid-client.node
