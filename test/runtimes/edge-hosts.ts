/** Hosts of the edge, the contracts' suites that apply there, and what of them can not. */
import type { LeftOut } from './vitest.ts'

export const EDGE_HOSTS = ['workerd', 'Chromium'] as const
export type EdgeHost = (typeof EDGE_HOSTS)[number]

/**
 * The suites that apply. The edge reaches no block device and no objects of Cinder's layout; the fallback compiles WASM from bytes (hash-wasm),
 * which workerd forbids.
 */
export const EDGE_SUITES: Readonly<Record<EdgeHost, readonly EdgeSuiteName[]>> = {
  workerd: ['core', 'storage', 'volume file'],
  Chromium: ['core', 'fallback core', 'storage', 'volume file'],
}
export type EdgeSuiteName = 'core' | 'fallback core' | 'storage' | 'volume file'

const READ_ONCE = 'a stream is read once, in order: a range before it is not there a second time'
export const LEFT_OUT: Readonly<Partial<Record<EdgeSuiteName, LeftOut>>> = {
  'volume file': Object.fromEntries(
    [
      'reads any range, across the transfers it is split into',
      'reads less at the end and nothing behind it',
      'moves its position by what was read, and by seeking',
    ].map((test) => [`a volume file that is a stream > ${test}`, READ_ONCE]),
  ),
}

export interface EdgeJob {
  suite: EdgeSuiteName
  /** Of an object server (test/edge/support/object-server.ts) that forgets its objects when it is asked for `clear`. Ends in `/`. */
  url: string
}
