/**
 * A chain as a volume that is read once, from its start to its end: what a backup of it into a repository reads.
 *
 * Invariant: reads are served in volume order, whatever order they come in; each byte can be read once. The read that reaches the end of
 * the volume resolves only when every object of the chain was found whole, so a backup of a damaged chain fails.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { createVolumeFace } from '../io/volume-face.ts'
import { type ReadChainOptions, readChain } from './read-chain.ts'
import type { RestorePlan } from './restore-plan.ts'

interface Read {
  length: number
  resolve(bytes: Uint8Array<ArrayBuffer>): void
  reject(error: unknown): void
}

/** Reads may be asked for in any order; one that leaves a gap before it waits until the gap is read. */
export function chainVolume(plan: RestorePlan, options: ReadChainOptions): VolumeFile {
  const pieces = readChain(plan, options)
  const waiting = new Map<number, Read>()
  let position = 0
  let left = new Uint8Array(0)
  let failure: { error: unknown } | undefined
  let turn = Promise.resolve()

  const fail = (error: unknown) => {
    failure ??= { error }
    for (const read of waiting.values()) read.reject(failure.error)
    waiting.clear()
  }
  const fill = async (length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(length)
    for (let got = 0; got < length; ) {
      if (left.length === 0) {
        const { value, done } = await pieces.next()
        if (done) throw new BlockvaultError('INTERNAL', 'A chain ended before its volume.')
        left = value
      }
      const part = left.subarray(0, length - got)
      bytes.set(part, got)
      got += part.length
      left = left.subarray(part.length)
    }
    return bytes
  }
  const serve = async () => {
    for (let read = waiting.get(position); read && !failure; read = waiting.get(position)) {
      waiting.delete(position)
      position += read.length
      try {
        read.resolve(await fill(read.length))
      } catch (error) {
        read.reject(error)
        fail(error)
      }
    }
  }
  const refuse = async (): Promise<never> => {
    throw new BlockvaultError('TARGET_UNSUPPORTED', 'A stored backup can not be written to: restore it, and write to what was restored.')
  }
  return createVolumeFace({
    kind: 'file',
    size: plan.bytes,
    async readAt(offset, length) {
      if (failure) throw failure.error
      if (length === 0) return new Uint8Array(0)
      if (offset < position || waiting.has(offset)) throw new BlockvaultError('USAGE', `A chain is read once, in order: offset ${offset} was read before.`)
      return new Promise((resolve, reject) => {
        waiting.set(offset, { length, resolve, reject })
        turn = turn.then(serve)
      })
    },
    writeAt: refuse,
    punchHole: refuse,
    flush: async () => {},
    async close() {
      fail(new BlockvaultError('CLOSED', 'The volume was used after it was closed.'))
      await turn
      await pieces.return(undefined)
    },
  })
}
