#!/usr/bin/env bash
# Makes this machine able to build wasm/pkg, byte for byte as committed: bash wasm/toolchain.sh
# Idempotent: each step looks first whether it is done. Needs rustup, npm, and Debian's or Ubuntu's apt for clang.
# `source toolchain.sh --require` (build.sh does) only checks, and puts the tools on PATH.
#
# Why each is pinned: all of them decide about the bytes.
#   rustc and std   std is the prebuilt one of rust-lang.org, which is the same everywhere; one built from source here
#                   would hold other symbol hashes. Fetched by rustup.
#   clang           compiles zstd. Debian 12 and 13 ship 19.1.7 as clang-19; elsewhere apt.llvm.org has it.
#   wasm-bindgen    must equal the crate's version in Cargo.lock. wasm-pack drives it, wasm-opt shrinks the result.
rust_version=1.95.0
clang_version=19.1.7
bindgen_version=0.2.126
pack_version=0.15.0
binaryen_version=132
target=wasm32-unknown-unknown

tools=${BLOCKVAULT_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/blockvault-wasm}
export PATH="$tools/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
# A rustup default of this very version is used as it is, whatever its name.
case "$(rustc --version 2>/dev/null)" in "rustc $rust_version "*) ;; *) export RUSTUP_TOOLCHAIN=$rust_version ;; esac

have() { # program, version: is just this one on PATH?
  "$1" --version 2>/dev/null | grep -qE "(^|[ (])v?${2//./\\.}([ )]|\$)"
}
have_std() { # the prebuilt std names its sources by commit; one built here names them by path
  compgen -G "$(rustc --print sysroot)/lib/rustlib/manifest-rust-std-$target" >/dev/null
}
missing() {
  have rustc "$rust_version" || echo "rustc $rust_version"
  have_std || echo "std of $rust_version for $target"
  have clang-19 "$clang_version" || echo "clang-19 $clang_version"
  have wasm-bindgen "$bindgen_version" || echo "wasm-bindgen $bindgen_version"
  have wasm-pack "$pack_version" || echo "wasm-pack $pack_version"
  have wasm-opt "$binaryen_version" || echo "wasm-opt $binaryen_version"
}

if [ "${1:-}" = --require ]; then
  lacking=$(missing)
  [ -z "$lacking" ] || { echo "missing: $lacking"; echo "run: bash wasm/toolchain.sh"; exit 1; } >&2
else
  set -euo pipefail
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  have rustc "$rust_version" || rustup toolchain install "$rust_version" --profile minimal --no-self-update
  have_std || rustup target add "$target"
  have clang-19 "$clang_version" || { $sudo apt-get update -qq; $sudo apt-get install -y -qq --no-install-recommends clang-19; }
  have wasm-bindgen "$bindgen_version" || cargo install --quiet --locked --force --root "$tools" wasm-bindgen-cli --version "$bindgen_version"
  have wasm-pack "$pack_version" || cargo install --quiet --locked --force --root "$tools" wasm-pack --version "$pack_version"
  have wasm-opt "$binaryen_version" || {
    mkdir -p "$tools/bin"
    npm install --prefix "$tools" --no-audit --no-fund --ignore-scripts --loglevel=error "binaryen@$binaryen_version" >/dev/null
    ln -sfn "$tools/node_modules/.bin/wasm-opt" "$tools/bin/wasm-opt"
  }
  lacking=$(missing)
  [ -z "$lacking" ] || { echo "still missing: $lacking" >&2; exit 1; }
  echo "wasm toolchain: there"
fi
