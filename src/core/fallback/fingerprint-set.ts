/** The fingerprints a running backup has claimed: all 32 bytes are compared. */
import { FINGERPRINT_BYTES } from '../../contract/core.ts'
import type { FingerprintSet } from '../../contract/core.ts'
import { FingerprintTable, fingerprintView } from './fingerprint-table.ts'

export function createFingerprintSet(): FingerprintSet {
  const table = new FingerprintTable(FINGERPRINT_BYTES / 4, 0)
  return {
    get size() {
      return table.size
    },
    claim(fingerprints, count) {
      const view = fingerprintView(fingerprints, count)
      return Uint8Array.from({ length: count }, (_, index) => (table.insert(view, index * FINGERPRINT_BYTES) === -1 ? 0 : 1))
    },
    free() {},
  }
}
