/** How the readers of this folder refuse bytes that were never written by blockvault. */
import { BlockvaultError } from '../../contract/errors.ts'

/** `offset` is that of the field that breaks its rule, bytes; left out where nobody sees it. */
export function damaged(what: string, offset?: number): never {
  throw new BlockvaultError(
    'OBJECT_DAMAGED',
    `${what}${offset === undefined ? '' : ` at byte ${offset}`}. Check the repository: what other objects hold too can be rebuilt.`,
    offset === undefined ? {} : { details: { offset } },
  )
}
