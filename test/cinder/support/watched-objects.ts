/** An object store whose calls a test sees, and may let fail. */
import type { ObjectStore } from '../../../src/contract/object-store.ts'

export interface ObjectCall {
  method: 'list' | 'create' | 'write' | 'finish' | 'open' | 'read' | 'delete'
  container: string
  name: string
}

export interface ObjectWatch {
  /** Before the call has any effect; what it throws, the call rejects with. */
  before?(call: ObjectCall): void
  /** After its effect. */
  after?(call: ObjectCall): void
}

export function watchedObjects(inner: ObjectStore, { before, after }: ObjectWatch): ObjectStore {
  const run = async <Result>(call: ObjectCall, work: () => Promise<Result>): Promise<Result> => {
    before?.(call)
    const result = await work()
    after?.(call)
    return result
  }
  return {
    ...inner,
    async *list(container, prefix, options) {
      await run({ method: 'list', container, name: prefix }, async () => {})
      yield* inner.list(container, prefix, options)
    },
    async create(container, name, options) {
      const writer = await run({ method: 'create', container, name }, () => inner.create(container, name, options))
      return {
        write: (bytes) => run({ method: 'write', container, name }, () => writer.write(bytes)),
        finish: () => run({ method: 'finish', container, name }, () => writer.finish()),
        discard: () => writer.discard(),
      }
    },
    async open(container, name, options) {
      const reader = await run({ method: 'open', container, name }, () => inner.open(container, name, options))
      return {
        size: reader.size,
        read: (offset, length) => run({ method: 'read', container, name }, () => reader.read(offset, length)),
        close: () => reader.close(),
      }
    },
    delete: (container, name, options) => run({ method: 'delete', container, name }, () => inner.delete(container, name, options)),
  }
}
