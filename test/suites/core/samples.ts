/**
 * Frames that other programs wrote: zstd 1.5.4 and lz4 1.9.4. They prove that a core reads the formats and not just its
 * own output.
 */
import { fromBase64 } from '../bytes.ts'

const lines = Array.from({ length: 60 }, (_, line) => `${line * line} of volume ${line % 7}\n`).join('')
/** Three zstd blocks, of which the later ones use the first one's tables and offsets. */
const periods = Array.from({ length: 2500 }, (_, line) => `${'blockvault '.repeat(12)}${line % 13}\n`).join('')

export interface Sample {
  name: string
  codec: 'zstd' | 'lz4'
  plain: Uint8Array
  compressed: Uint8Array
}

export const SAMPLES: readonly Sample[] = [
  sample(
    'zstd -19 --check',
    'zstd',
    lines,
    'KLUv/WTOAn0FABKNHBHApwPUB5z/W2W3JJNMHKg4Nywef6bc+XCom7NqxRO4d6NyrjettSdLXT9VLr7A8u0s2WZ9+Cqp5YmsMrojX1vRxUWoChdO/QWqkotpb+bHnSo9ldoX67TJbmTxy8A/AFEBn8AUUAMksGAwkOJIAuIIFjuoEBrS+xlwo8IDED4S0Afl3CxeqZvFs+jPHd67bKyJdhRlAGeRExfMl3N5S688lVMTHhcXuldcnQK9c23D',
  ),
  sample(
    'zstd -19 --no-check < lines, without a content size',
    'zstd',
    lines,
    'KLUv/QBofQUAEo0cEcCnA9QHnP9bZbckk0wcqDg3LB5/ptz5cKibs2rFE7h3o3KuN621J0tdP1UuvsDy7SzZZn34KqnliawyuiNfW9HFRagKF079BaqSi2lv5sedKj2V2hfrtMluZPHLwD8AUQGfwBRQAySwYDCQ4kgC4ggWO6gQGtL7GXCjwgMQPhLQB+XcLF6pm8Wz6M8d3rtsrIl2FGUAZ5ETF8yXc3lLrzyVUxMeFxe6V1ydAg==',
  ),
  sample(
    'zstd --fast=5 --no-check',
    'zstd',
    lines,
    'KLUv/WDOAsUNAMQVMCBvZiB2b2x1bWUgMAoxIG9mIHZvbHVtZSAxCjQgb2Ygdm9sdW1lIDIKOTMKMTY0CjI1IDUKMzYgNgo0OSAwCjY0IDEKODEgMgoxMDAyNAoxNDQ1CjE2OTYKMTk2MAoyMjUxCjI1NjIKMjg5MwozMjQ0CjM2MTUKNDAwNgo0NDEwCjQ4NDEKNTI5Mgo1NzYzCjYyNTQKNjc2NQo3Mjk2Cjc4NDAKODQxMQo5MDAyCjk2MTMKMTAyNDQKMTA4OTUKMTE1NjYKMTIyNTAKMTI5NjEKMTM2OTIKMTQ0NDMKMTUyMTQKMTYwMDUKMTY4MTYKMTc2NDAKMTg0OTEKMTkzNjIKMjAyNTMKMjExNjQKMjIwOTUKMjMwNDYKMjQwMTAKMjUwMDEKMjYwMTIKMjcwNDMKMjgwOTQKMjkxNjUKMzAyNTYKMzEzNjAKMzI0OTEKMzM2NDIKMzQ4MTMKOSCw46QDpphiClNMMaUpppjCFFNMMYUpppjSFFNMYYopppjCFFPcFGqmOJtidKONNprRRhvdaKONNprRRhvdaKONZjQYPc3QjORYWz744AsffAeftJjXYlIG',
  ),
  sample(
    'zstd -1 --check, three blocks',
    'zstd',
    periods,
    'KLUv/aTYHgUATAMA+GJsb2NrdmF1bHQgMAoxMjM0NTY3ODkxMTAxMjM0NTYXAP701OYcBIA6AaCYAFAiANQJAMUEgBIBoG4gVKZ4EFSmjABUppgAUCIA1AkAxQSAEgGgTgAoJgCUCIA6QcJQBsNaP6TYOi1eTAAACGwBAPz/ORACTQAACHYBANQeORAC/Othkg==',
  ),
  sample(
    'lz4 -9, the block of its frame',
    'lz4',
    lines,
    '9wAwIG9mIHZvbHVtZSAwCjEOADcxCjQOADcyCjkOAEczCjE2DwBHNAoyNQ8AODUKMx4ASTYKNDlmACk2NGcAKTgxaAA6MTAwagApMjFrADkxNDRsADkxNjltADkxOTZuABkynABZMQoyNTZwACoyONoAOTMyNHAAOTM2MXAAOjQwMN0AKTQxcAAqNDjfADk1MjlwADk1NzZwABk2oAA5NAo2IABKNQo3MuAAGTdgAEowCjg0tgE6OTAwuAEqNjFQARsw4QBKMTA4OVIBOjE1NlMBCkQBSTAKMTJlAVoxCjEzNuYASjE0NDR3ABw1yAE7NjAwyQEqODF3ADo3NjR3ADo4NDl3ACs5M80BGTCqAEwzCjIxqgIqMjDuAEkyMzA0dwA6MjQw0gFKMjUwMEMCOjYwMXcAOjcwNHcAOjgwOXcAKjkx1wEaM6oAWjYKMzEzuQIrMzLuADozMzaTAyYzNDIBUG1lIDMK',
  ),
]

function sample(name: string, codec: Sample['codec'], plain: string, base64: string): Sample {
  return { name, codec, plain: new TextEncoder().encode(plain), compressed: fromBase64(base64) }
}
