/**
 * Argon2id in an instance of the module of its own, which goes when the key is there: WASM memory never shrinks, and what a passphrase
 * takes, 64 MiB, would stay with its worker. Its exports take numbers only, so it needs none of the generated glue.
 */
import type { InitOutput } from '../../wasm/pkg/blockvault_core.js'
import type { Argon2idCosts, Turns } from '../contract/core.ts'
import { KEY_BYTES } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import { coreMemory } from './memory.ts'

/** 2 to 5 ms of work between turns. */
const STEP_BLOCKS = 2048

export async function argon2id(
  module: WebAssembly.Module,
  passphrase: Uint8Array,
  salt: Uint8Array,
  { memoryKiB, passes, lanes }: Argon2idCosts,
  turns: Turns,
): Promise<Uint8Array<ArrayBuffer>> {
  const exports = instantiate(module)
  const memory = coreMemory(exports)
  const [secret, salted, key] = [memory.buffer(passphrase.length), memory.buffer(salt.length), memory.buffer(KEY_BYTES)]
  secret.bytes().set(passphrase)
  salted.bytes().set(salt)
  const [secretAt, saltAt] = [memory.address(secret, 0, secret.length), memory.address(salted, 0, salted.length)]
  if (!exports.argon2id_start(secretAt, secret.length, saltAt, salted.length, memoryKiB, passes, lanes, KEY_BYTES)) {
    throw new BlockvaultError('INTERNAL', `The key slot asks for ${memoryKiB} KiB of memory, and there is not as much left.`)
  }
  secret.bytes().fill(0)
  while (!exports.argon2id_run(STEP_BLOCKS)) await turns()
  exports.argon2id_key(memory.address(key, 0, KEY_BYTES), KEY_BYTES)
  return key.bytes().slice()
}

function instantiate(module: WebAssembly.Module): InitOutput {
  const imports: Record<string, Record<string, () => never>> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = unexpected
  return new WebAssembly.Instance(module, imports).exports as unknown as InitOutput
}

/** The module imports only what throws an error from inside it. */
function unexpected(): never {
  throw new BlockvaultError('INTERNAL', 'The core failed while it stretched a passphrase.')
}
