#!/usr/bin/env bash
# Builds the core into wasm/pkg: npm run build:wasm. With --check builds aside and fails when the bytes differ from the
# committed ones.
#
# Invariant: the same sources give the same bytes on any machine. So every version is pinned (toolchain.sh has the list
# and the way to get them), std is the one rust-lang.org ships, and no path of this machine gets into the output.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/toolchain.sh" --require

# Panic messages hold the paths of sources: name them by what they are, not by where they lie here. Remapping needs the
# sources' directories, so they are fetched first.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
cargo fetch --quiet --locked --target wasm32-unknown-unknown --manifest-path "$here/Cargo.toml"
remap="--remap-path-prefix=$here=blockvault --remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=std"
for registry in "$cargo_home"/registry/src/*/; do
  remap="$remap --remap-path-prefix=${registry%/}=crates"
done
# zstd-wide.h says why warnings of the linker are errors, and why no address may lie in the last MiB of 4 GiB.
link="-Clink-arg=--fatal-warnings -Clink-arg=--max-memory=$((4095 << 20))"
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-Ctarget-feature=+simd128 $link $remap"

# zstd is C. The features are those rustc has on by default for this target, and SIMD. The header's sum is there because
# cargo compiles C again when the flags change, not when the header does.
export CC_wasm32_unknown_unknown=clang-19
features="-msimd128 -mbulk-memory -mnontrapping-fptoint -msign-ext"
wide="-include $here/zstd-wide.h -DZSTD_WIDE_SUM=$(cksum <"$here/zstd-wide.h" | cut -d' ' -f1)"
export CFLAGS_wasm32_unknown_unknown="-O2 $features $wide -ffile-prefix-map=$cargo_home=cargo"
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CFLAGS CARGO_BUILD_RUSTFLAGS

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
wasm-pack --quiet build "$here/binding" --target web --release --mode no-install --no-pack --out-dir "$out" --out-name blockvault_core -- --locked

files="blockvault_core.js blockvault_core.d.ts blockvault_core_bg.wasm"
if strings -n 4 "$out/blockvault_core_bg.wasm" | grep -F -e "$here" -e "$cargo_home" -e "$HOME/" -e registry/src; then
  echo "build.sh: the lines above show a path of this machine in the output: add it to the remapped prefixes" >&2
  exit 1
fi
if [ "${1:-}" = --check ]; then
  for file in $files; do
    cmp "$out/$file" "$here/pkg/$file" || { echo "build.sh: wasm/pkg/$file is not what the sources give: run npm run build:wasm and commit it" >&2; exit 1; }
  done
  echo "wasm/pkg is what the sources give"
else
  mkdir -p "$here/pkg"
  for file in $files; do cp "$out/$file" "$here/pkg/$file"; done
fi
