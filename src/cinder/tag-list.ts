/**
 * What the stored objects of a plan were when they were checked: kept from the pass that checks to the pass that writes.
 *
 * Invariant: 16 bytes a piece and 16 an object, in columns, so that a million objects take 32 MB.
 */
import { CHANGE_TAG_BYTES } from '../contract/core.ts'
import type { ObjectTags } from './decode-object.ts'

export interface TagList {
  /** `index` of the object in its plan. */
  set(index: number, tags: ObjectTags): void
  get(index: number): ObjectTags
}

export function createTagList(objects: number): TagList {
  const sizes = new Float64Array(objects)
  const starts = new Uint32Array(objects)
  const counts = new Uint32Array(objects)
  let all = new Uint8Array(Math.max(1, objects) * CHANGE_TAG_BYTES)
  let count = 0
  return {
    set(index, { size, tags }) {
      sizes[index] = size
      starts[index] = count
      counts[index] = tags.length
      for (const tag of tags) {
        if ((count + 1) * CHANGE_TAG_BYTES > all.length) {
          const larger = new Uint8Array(all.length * 2)
          larger.set(all)
          all = larger
        }
        all.set(tag, count++ * CHANGE_TAG_BYTES)
      }
    },
    get(index) {
      const tags = Array.from({ length: counts[index]! }, (_, at) => {
        const from = (starts[index]! + at) * CHANGE_TAG_BYTES
        return all.slice(from, from + CHANGE_TAG_BYTES)
      })
      return { size: sizes[index]!, tags }
    },
  }
}
