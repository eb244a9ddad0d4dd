import { readFile } from 'node:fs/promises'
import { createWasmCore } from '../../src/core/wasm.ts'
import { coreSuite } from '../suites/core.ts'

const bytes = readFile(new URL('../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url))
coreSuite('WASM', async () => createWasmCore(await WebAssembly.compile(await bytes)), {
  written: ['zlib', 'bz2', 'zstd'],
  read: ['zlib', 'bz2', 'zstd'],
})
