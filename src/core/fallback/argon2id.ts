/** Argon2id by hash-wasm, in one go. */
import { argon2id as stretch } from 'hash-wasm'
import { type Argon2idCosts, KEY_BYTES } from '../../contract/core.ts'

export async function argon2id(passphrase: Uint8Array, salt: Uint8Array, { memoryKiB, passes, lanes }: Argon2idCosts): Promise<Uint8Array<ArrayBuffer>> {
  const costs = { memorySize: memoryKiB, iterations: passes, parallelism: lanes }
  return new Uint8Array(await stretch({ password: passphrase, salt, ...costs, hashLength: KEY_BYTES, outputType: 'binary' }))
}
