/** The store of a restore, where each backup of the chain may have one of its own for its data objects. */
import type { ChainMember } from '../cinder/chain.ts'
import { parseObjectName } from '../cinder/names.ts'
import type { ObjectStore } from '../contract/object-store.ts'

/** `storeToRead` tells the store by the backup's extra metadata. `store` itself when it is the same for all. */
export function restoringStore(store: ObjectStore, chain: readonly ChainMember[], storeToRead: (extraMetadata: unknown) => ObjectStore): ObjectStore {
  const own = new Map<string, ObjectStore>()
  for (const { container, prefix, manifest } of chain) {
    const its = storeToRead(manifest.extraMetadata)
    if (its !== store) own.set(key(container, prefix), its)
  }
  if (own.size === 0) return store
  return {
    description: store.description,
    open: (container, name, options) => (own.get(key(container, parseObjectName(name)?.prefix ?? '')) ?? store).open(container, name, options),
    containerExists: (container, options) => store.containerExists(container, options),
    createContainer: (container, options) => store.createContainer(container, options),
    containers: (options) => store.containers(options),
    list: (container, prefix, options) => store.list(container, prefix, options),
    create: (container, name, options) => store.create(container, name, options),
    delete: (container, name, options) => store.delete(container, name, options),
    deleteUnfinished: (container, prefix, options) => store.deleteUnfinished(container, prefix, options),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

/** Neither has a control character. */
function key(container: string, prefix: string): string {
  return `${container}\n${prefix}`
}
