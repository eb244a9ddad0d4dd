/** Passphrase → key, in a worker: Argon2id takes some 300 ms of CPU by design, which the main thread must not spend. */
import { KEY_BYTES } from '../contract/core.ts'
import { type Handlers, handle, operation } from '../io/operation.ts'

export interface Argon2idCosts {
  memoryKiB: number
  passes: number
  lanes: number
}

/** Argon2id (RFC 9106), version 1.3, 32 bytes out. */
export const stretchPassphrase = operation<{ passphrase: Uint8Array; salt: Uint8Array; costs: Argon2idCosts }, Uint8Array<ArrayBuffer>>('key.stretch')

export function addKeyOperation(handlers: Handlers): void {
  handle(handlers, stretchPassphrase, async ({ passphrase, salt, costs }) => {
    // Loaded by the first passphrase: key files need none of it.
    const { argon2id } = await import('hash-wasm')
    const key = await argon2id({
      password: passphrase,
      salt,
      memorySize: costs.memoryKiB,
      iterations: costs.passes,
      parallelism: costs.lanes,
      hashLength: KEY_BYTES,
      outputType: 'binary',
    })
    return new Uint8Array(key)
  })
}
