/** A binary heap of small whole numbers: the first one by `before` is on top. */
export interface Heap {
  readonly size: number
  /** `undefined` when it is empty. */
  top(): number | undefined
  push(item: number): void
  pop(): number | undefined
}

/** `before` must not change its answer for two items while both are in the heap. */
export function createHeap(before: (left: number, right: number) => boolean): Heap {
  const items: number[] = []
  const swap = (left: number, right: number) => {
    const item = items[left]!
    items[left] = items[right]!
    items[right] = item
  }
  return {
    get size() {
      return items.length
    },
    top: () => items[0],
    push(item) {
      items.push(item)
      for (let at = items.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1
        if (!before(items[at]!, items[parent]!)) return
        swap(at, parent)
        at = parent
      }
    },
    pop() {
      const first = items[0]
      const last = items.pop()
      if (items.length === 0 || last === undefined) return first
      items[0] = last
      for (let at = 0; ; ) {
        const left = at * 2 + 1
        const right = left + 1
        let best = at
        if (left < items.length && before(items[left]!, items[best]!)) best = left
        if (right < items.length && before(items[right]!, items[best]!)) best = right
        if (best === at) return first
        swap(at, best)
        at = best
      }
    },
  }
}
