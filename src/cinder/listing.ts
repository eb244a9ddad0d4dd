/**
 * Compares what a container holds with what the manifests of a chain say it holds.
 *
 * Cinder compares everything that begins with a backup's prefix, and refuses a restore for any object more or less. Ours counts only
 * names that are exactly a data object's of this very backup (`names.ts`): a neighbour whose prefix begins with ours, and a temporary file
 * that somebody left (`…-00003.tmp`), are no part of it, hurt no restore and are never deleted with it. A data object that the manifest
 * does not know stays as fatal as it is in Cinder: the manifest is then not the one that was written with these objects.
 */
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { ChainMember } from './chain.ts'
import { dataObjectName, parseObjectName, sha256FileName } from './names.ts'
import type { ObjectList } from './object-list.ts'

/** Something wrong with the objects of one backup. */
export interface ListingFinding {
  /** Index in the chain. */
  member: number
  container: string
  object: string
  kind: 'missing' | 'extra' | 'size' | 'no-hashes'
  message: string
}

export interface CompareListingOptions {
  signal?: AbortSignal | undefined
  /** Also look for `_sha256file`, which no restore needs. False by default. */
  hashes?: boolean | undefined
  /** Findings told of one backup; more are only counted in the last one. 100 by default. */
  findingsMax?: number | undefined
}

/**
 * Lists each container once, however many of the chain's backups lie in it. Lengths that a manifest does not say are filled in where the
 * listing tells them: of objects that are not compressed.
 */
export async function compareListing(store: ObjectStore, chain: readonly ChainMember[], options: CompareListingOptions = {}): Promise<ListingFinding[]> {
  const checks = chain.map((member, index) => createCheck(member, index, options))
  for (const [container, own] of byContainer(checks)) {
    const byPrefix = new Map(own.map((check) => [check.prefix, check]))
    for await (const { name, size } of store.list(container, commonStart([...byPrefix.keys()]), { signal: options.signal })) {
      throwIfCancelled(options.signal)
      const parsed = parseObjectName(name)
      if (parsed) byPrefix.get(parsed.prefix)?.seen(parsed, name, size)
    }
  }
  return checks.flatMap((check) => check.finish())
}

/** @throws InvalidBackup when an object is missing, is one too many, or does not have the size it must have */
export async function checkListing(store: ObjectStore, chain: readonly ChainMember[], options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
  const [finding] = await compareListing(store, chain, { ...options, findingsMax: 1 })
  if (finding === undefined) return
  const id = chain[finding.member]!.manifest.backupId
  throw new BlockvaultError('InvalidBackup', `Backup ${id} can not be restored: ${finding.object} in ${finding.container} ${finding.message}.`, {
    details: { id, container: finding.container, object: finding.object },
  })
}

type Check = ReturnType<typeof createCheck>

function createCheck({ container, prefix, manifest: { objects } }: ChainMember, member: number, { hashes = false, findingsMax = 100 }: CompareListingOptions) {
  const indexOf = indexByNumber(objects)
  const present = new Uint8Array(objects.count)
  let hasHashes = false
  let more = 0
  const findings: ListingFinding[] = []
  const find = (kind: ListingFinding['kind'], object: string, message: string) => {
    if (findings.length < findingsMax) findings.push({ member, container, object, kind, message })
    else more++
  }
  return {
    container,
    prefix,
    seen({ part, number }: NonNullable<ReturnType<typeof parseObjectName>>, name: string, size: number) {
      if (part === 'sha256file') hasHashes = true
      if (part !== 'data') return
      const index = indexOf(number)
      if (index === undefined) return find('extra', name, 'is not in the manifest')
      present[index] = 1
      if (objects.compression(index) !== 'none') return
      const length = objects.length(index)
      if (length === undefined) objects.setLength(index, size)
      else if (size !== length) find('size', name, `has ${size} bytes where the manifest says ${length}`)
    },
    finish(): ListingFinding[] {
      for (let index = 0; index < objects.count; index++) {
        if (present[index] === 0) find('missing', dataObjectName(prefix, objects.number(index)), 'is missing')
      }
      if (hashes && !hasHashes) find('no-hashes', sha256FileName(prefix), 'is missing: restores do not need it, the next incremental does')
      const last = findings.at(-1)
      if (last && more > 0) last.message += `; and ${more} objects more are not as they should be`
      return findings
    },
  }
}

/** Index of the object with this number. In the manifests that Cinder writes it is the number less one. */
function indexByNumber(objects: ObjectList): (number: number) => number | undefined {
  let inOrder = true
  for (let index = 0; index < objects.count && inOrder; index++) inOrder = objects.number(index) === index + 1
  if (inOrder) return (number) => (number <= objects.count ? number - 1 : undefined)
  const indexes = new Map<number, number>()
  for (let index = 0; index < objects.count; index++) indexes.set(objects.number(index), index)
  return (number) => indexes.get(number)
}

function byContainer(checks: readonly Check[]): Map<string, Check[]> {
  const containers = new Map<string, Check[]>()
  for (const check of checks) {
    const own = containers.get(check.container)
    if (own) own.push(check)
    else containers.set(check.container, [check])
  }
  return containers
}

/** What all texts begin with. */
function commonStart(texts: readonly string[]): string {
  let [start = ''] = texts
  for (const text of texts) while (!text.startsWith(start)) start = start.slice(0, -1)
  return start
}
