#!/usr/bin/env bash
# Builds the core into wasm/pkg and the component into wasm/component/pkg: npm run build:wasm. With --check builds aside and
# fails when the bytes differ from the committed ones.
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

# The component: the same crates as one module, which jco (its version is in package-lock.json) wraps as a component and takes
# apart again as an ES module. With lto, and so without functions of zstd that nobody calls, only as a cdylib.
component=$out/component
mkdir -p "$component"
cargo rustc --quiet --locked --release --lib --crate-type cdylib --target wasm32-unknown-unknown --manifest-path "$here/component/Cargo.toml"
target_directory=$(cargo metadata --format-version 1 --no-deps --manifest-path "$here/Cargo.toml" | sed -E 's/.*"target_directory":"([^"]*)".*/\1/')
# As wasm-pack does it for the binding.
optimize=$(sed -nE 's/^wasm-opt = \[(.*)\]$/\1/p' "$here/binding/Cargo.toml" | tr -d '",')
# shellcheck disable=SC2086
wasm-opt $optimize "$target_directory/$target/release/blockvault_component.wasm" -o "$out/module.wasm"
jco=$here/../node_modules/.bin/jco
"$jco" new "$out/module.wasm" -o "$component/blockvault_reader.wasm" >/dev/null
"$jco" transpile --quiet "$component/blockvault_reader.wasm" --name blockvault_reader -o "$component"
# Nobody asks for its log, and looking for the question takes a permission on Deno.
sed -i 's/if (!globalThis?.process?.env?.JCO_DEBUG) { return; }/return;/' "$component/blockvault_reader.js"
if grep 'process?.env' "$component/blockvault_reader.js"; then
  echo "build.sh: jco's module reads the environment in another way now: see the lines above" >&2
  exit 1
fi
# From JSR its code comes from a server, for Deno too, which calls itself Node; and `deno publish` takes the names of a module's imports for
# paths: it writes ./ before them.
both='(module, imports = {}) => WebAssembly.instantiate(module, Object.fromEntries(Object.entries(imports).flatMap(([name, each]) => [[name, each], [`./${name}`, each]])))'
sed -i -e "s/^  if (isNode) {\$/  if (isNode \&\& url.protocol === 'file:') {/" -e "s|^const instantiateCore = WebAssembly.instantiate;\$|const instantiateCore = $both;|" "$component/blockvault_reader.js"
for line in "if (isNode && url.protocol === 'file:')" "const instantiateCore = $both;"; do
  grep -qF "$line" "$component/blockvault_reader.js" || {
    echo "build.sh: jco's module loads its code in another way now" >&2
    exit 1
  }
done
# The component keeps no comments; the types made from the WIT file have them.
rm -r "$component/interfaces"
node "$here/component/types.mjs" "$component/blockvault_reader.d.ts"
sed -i '1i /* @ts-self-types="./blockvault_reader.d.ts" */' "$component/blockvault_reader.js"

files=$(cd "$out" && echo blockvault_core.js blockvault_core.d.ts blockvault_core_bg.wasm; cd "$component" && find . -type f | sort | sed 's|^./|component/|')
place() { case $1 in component/*) echo "$here/component/pkg/${1#component/}" ;; *) echo "$here/pkg/$1" ;; esac; }
if strings -n 4 "$out/blockvault_core_bg.wasm" "$component/blockvault_reader.wasm" | grep -F -e "$here" -e "$cargo_home" -e "$HOME/" -e registry/src; then
  echo "build.sh: the lines above show a path of this machine in the output: add it to the remapped prefixes" >&2
  exit 1
fi
if [ "${1:-}" = --check ]; then
  for file in $files; do
    cmp "$out/$file" "$(place "$file")" || { echo "build.sh: $(place "$file") is not what the sources give: run npm run build:wasm and commit it" >&2; exit 1; }
  done
  echo "wasm/pkg and wasm/component/pkg are what the sources give"
else
  rm -rf "$here/component/pkg"
  for file in $files; do
    mkdir -p "$(dirname "$(place "$file")")"
    cp "$out/$file" "$(place "$file")"
  done
fi
