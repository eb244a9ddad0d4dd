/** Passphrase → key, in a worker: Argon2id takes some 250 ms of CPU by design, which the main thread must not spend. */
import type { Argon2idCosts, Core, Turns } from '../contract/core.ts'
import { type Handlers, handle, operation } from '../io/operation.ts'

/** Argon2id (RFC 9106), version 1.3, 32 bytes out. */
export const stretchPassphrase = operation<{ passphrase: Uint8Array; salt: Uint8Array; costs: Argon2idCosts }, Uint8Array<ArrayBuffer>>('key.stretch')

/** `turns` is called between its steps. */
export function addKeyOperation(handlers: Handlers, core: Core, turns?: Turns): void {
  handle(handlers, stretchPassphrase, ({ passphrase, salt, costs }) => core.argon2id(passphrase, salt, costs, turns))
}
