#!/usr/bin/env bash
# Builds the core into wasm/pkg (npm run build:wasm). The same sources give the same bytes on any machine: versions are
# pinned, and no path of this machine gets into the output. `--check` builds aside and compares with what is committed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
target=wasm32-unknown-unknown
cargo_home=${CARGO_HOME:-$HOME/.cargo}

# Panic messages and C's __FILE__ hold source paths: name them by what they are, not by where they lie here.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-Ctarget-feature=+simd128 \
  --remap-path-prefix=$here=blockvault --remap-path-prefix=$cargo_home/registry/src=registry --remap-path-prefix=$(rustc --print sysroot)=rust"
export CC_wasm32_unknown_unknown=clang-19
export CFLAGS_wasm32_unknown_unknown="-O3 -msimd128 -mbulk-memory -mnontrapping-fptoint -msign-ext -ffile-prefix-map=$cargo_home=cargo"

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
(cd "$here/binding" && wasm-pack --quiet build --target web --release --mode no-install --no-pack --out-dir "$out" --out-name blockvault_core)

mkdir -p "$here/pkg"
for file in blockvault_core.js blockvault_core.d.ts blockvault_core_bg.wasm; do
  cp "$out/$file" "$here/pkg/$file"
done
