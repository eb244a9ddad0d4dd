import { describe, expect, it } from 'vitest'
import { CHAIN_LENGTH_MAX, type ChainMember, type KnownBackup, loadChain } from '../../src/cinder/chain.ts'
import { checkListing, compareListing } from '../../src/cinder/listing.ts'
import { encodeManifest, type Manifest } from '../../src/cinder/metadata.ts'
import { dataObjectName } from '../../src/cinder/names.ts'
import { backupIdOf, madeStore, manifestOf, memberOf, prefixOf } from './support/manifests.ts'

function known(members: readonly ChainMember[], changes: Partial<Record<string, Partial<KnownBackup>>> = {}) {
  return (id: string): KnownBackup | undefined => {
    const member = members.find(({ prefix }) => prefix.endsWith(id))
    return member && { id, container: member.container, prefix: member.prefix, ...changes[id] }
  }
}

function stored(...members: ChainMember[]) {
  const made = madeStore()
  for (const member of members) made.putBackup(member)
  return made
}

const chain = [memberOf(1, [[0, 10]]), memberOf(2, [[0, 4]]), memberOf(3, [[2, 4]])]

describe('a chain', () => {
  it('is loaded from its full backup to the wanted one', async () => {
    const { store } = stored(...chain)
    const loaded = await loadChain(store, backupIdOf(3), { locate: known(chain) })
    expect(loaded.map(({ manifest }) => manifest.backupId)).toEqual([1, 2, 3].map(backupIdOf))
    expect(await loadChain(store, backupIdOf(1), { locate: known(chain) })).toHaveLength(1)
    await expect(checkListing(store, loaded)).resolves.toBeUndefined()
  })

  it('may have ancestors of another version, as in Cinder, but not the wanted backup', async () => {
    const odd = [memberOf(1, [[0, 10]], { version: '2.0.0' }), memberOf(2, [[0, 4]])]
    const { store } = stored(...odd)
    expect(await loadChain(store, backupIdOf(2), { locate: known(odd) })).toHaveLength(2)
    await expect(loadChain(store, backupIdOf(1), { locate: known(odd) })).rejects.toMatchObject({ code: 'InvalidBackup' })
  })

  it.each([
    ['the wanted backup is not known', [memberOf(1, [])], 'BackupNotFound', /^Backup 00000002.* could not be found\.$/],
    ['an ancestor is not known', [memberOf(2, [])], 'BackupNotFound', /00000001.*could not be found\. 00000002.* builds on it/],
    ['it comes back to itself', [memberOf(1, [], { parentId: backupIdOf(2) }), memberOf(2, [])], 'InvalidBackup', /comes back/],
    ['a backup is its own parent', [memberOf(2, [], { parentId: backupIdOf(2) })], 'InvalidBackup', /comes back/],
    ['an ancestor is of another volume', [memberOf(1, [], { volumeId: 'other' }), memberOf(2, [])], 'InvalidBackup', /another volume/],
    ["a manifest is another backup's", [memberOf(1, []), memberOf(2, [], { backupId: 'x' })], 'InvalidBackup', /is that of x/],
  ] as const)('is refused when %s', async (_what, members, code, message) => {
    const { store } = stored(...members)
    const loading = loadChain(store, backupIdOf(2), { locate: known(members) })
    await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('is refused when database and manifest name different parents', async () => {
    const { store } = stored(...chain)
    const locate = known(chain, { [backupIdOf(2)]: { parentId: null } })
    await expect(loadChain(store, backupIdOf(3), { locate })).rejects.toMatchObject({
      code: 'InvalidBackup',
      message: expect.stringMatching(/none in the database/),
    })
    const same = known(chain, { [backupIdOf(2)]: { parentId: backupIdOf(1) } })
    expect(await loadChain(store, backupIdOf(3), { locate: same })).toHaveLength(3)
  })

  it('is refused when a manifest is gone, or its place is outside of the store', async () => {
    const { store, containers } = stored(...chain)
    containers.get('backups')!.delete(`${prefixOf(1)}_metadata`)
    await expect(loadChain(store, backupIdOf(3), { locate: known(chain) })).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
      message: expect.stringMatching(/never finished/),
    })
    for (const container of ['../x', '/etc', 'a\u0000']) {
      const locate = known(chain, { [backupIdOf(3)]: { container } })
      await expect(loadChain(store, backupIdOf(3), { locate })).rejects.toMatchObject({ code: 'InvalidInput' })
    }
    for (const prefix of ['../../secret', '/etc/x', 'x'.repeat(256), '']) {
      const locate = known(chain, { [backupIdOf(3)]: { prefix } })
      await expect(loadChain(store, backupIdOf(3), { locate })).rejects.toMatchObject({ code: 'InvalidInput' })
    }
  })

  it('of ten thousand backups is loaded, and one without an end refused', { timeout: 60_000 }, async () => {
    const { store } = stored()
    const place = { container: 'c', prefix: 'p' }
    let depth = 0
    const locate = (end: number) => (id: string) => {
      const manifest: Manifest = { ...manifestOf(1, []), backupId: id, parentId: ++depth === end ? null : String(depth) }
      return { id, ...place, manifest }
    }
    expect(await loadChain(store, 'wanted', { locate: locate(10_000) })).toHaveLength(10_000)
    depth = 0
    await expect(loadChain(store, 'wanted', { locate: locate(Infinity) })).rejects.toMatchObject({
      code: 'InvalidBackup',
      message: expect.stringContaining(`more than ${CHAIN_LENGTH_MAX}`),
    })
    expect(depth).toBe(CHAIN_LENGTH_MAX)
  })

  it('with too much volume metadata is refused before memory is full', async () => {
    const volumeMeta = 'x'.repeat(4 * 1024 * 1024)
    let depth = 0
    const locate = (id: string) => ({
      id,
      container: 'c',
      prefix: 'p',
      manifest: { ...manifestOf(1, []), backupId: id, parentId: String(++depth), volumeMeta },
    })
    await expect(loadChain(stored().store, 'wanted', { locate })).rejects.toMatchObject({ code: 'InvalidBackup' })
    expect(depth).toBeLessThan(20)
  })

  it('stops when it is cancelled', async () => {
    const signal = AbortSignal.abort()
    await expect(loadChain(stored(...chain).store, backupIdOf(3), { locate: known(chain), signal })).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('the listing', () => {
  const name = (number: number, object: number) => dataObjectName(prefixOf(number), object)

  it('may have neighbours whose prefix begins with ours, and files that are no objects', async () => {
    const made = stored(...chain)
    const neighbour = {
      ...memberOf(1, [
        [0, 3],
        [3, 3],
      ]),
      prefix: `${prefixOf(1)}-00009`,
    }
    made.putBackup(neighbour)
    for (const stray of [
      `${name(1, 1)}.tmp`,
      `${prefixOf(1)}`,
      `${prefixOf(1)}-1`,
      `${prefixOf(1)}-000001`,
      `${prefixOf(1)}.partial`,
      `${prefixOf(1)}_metadata~`,
    ]) {
      made.put('backups', stray, 'x')
    }
    await expect(checkListing(made.store, chain)).resolves.toBeUndefined()
    await expect(checkListing(made.store, [neighbour])).resolves.toBeUndefined()
  })

  it.each([
    ['an object is missing', (made: ReturnType<typeof stored>) => made.containers.get('backups')!.delete(name(2, 1)), name(2, 1), /is missing/],
    ['an object is one too many', (made: ReturnType<typeof stored>) => made.put('backups', name(2, 2), 'x'), name(2, 2), /not in the manifest/],
    ['an object is truncated', (made: ReturnType<typeof stored>) => made.put('backups', name(3, 1), 'xy'), name(3, 1), /has 2 bytes where the manifest says 4/],
  ] as const)('is refused when %s', async (_what, change, object, message) => {
    const made = stored(...chain)
    change(made)
    await expect(checkListing(made.store, chain)).rejects.toMatchObject({ code: 'InvalidBackup', message: expect.stringMatching(message), details: { object } })
  })

  it('tells every finding, and hashes that are missing where that is asked for', async () => {
    const made = stored(...chain)
    made.containers.get('backups')!.delete(name(1, 1))
    made.put('backups', name(1, 2), '')
    made.put('backups', `${prefixOf(2)}_sha256file`, '{}')
    const findings = await compareListing(made.store, chain, { hashes: true })
    expect(findings.map(({ member, kind, object }) => [member, kind, object])).toEqual([
      [0, 'extra', name(1, 2)],
      [0, 'missing', name(1, 1)],
      [0, 'no-hashes', `${prefixOf(1)}_sha256file`],
      [2, 'no-hashes', `${prefixOf(3)}_sha256file`],
    ])
  })

  it('tells a bounded number of findings, and how many more there are', async () => {
    const many = memberOf(
      1,
      Array.from({ length: 500 }, (_, index) => [index, 1] as const),
    )
    const { store } = stored()
    const findings = await compareListing(store, [many], { findingsMax: 3 })
    expect(findings).toHaveLength(3)
    expect(findings[2]!.message).toBe('is missing; and 497 objects more are not as they should be')
  })

  it('lists a container once, however many backups of the chain lie in it', async () => {
    const made = stored(...chain)
    const listed: string[] = []
    const list = made.store.list
    const store = { ...made.store, list: (container: string, prefix: string) => (listed.push(prefix), list(container, prefix)) }
    await checkListing(store, chain)
    expect(listed).toEqual(['volume_11111111-1111-4111-8111-111111111111_20240110000509_backup_0000000'])
  })

  it('fills in the length of an object that is not compressed', async () => {
    const member = memberOf(1, [])
    member.manifest.objects.append({ number: 3, offset: 0, length: undefined, compression: 'none', md5: undefined })
    const made = madeStore()
    made.put('backups', `${prefixOf(1)}_metadata`, Buffer.concat([...encodeManifest(member.manifest, member.prefix)]))
    made.put('backups', name(1, 3), 'sevenby')
    await checkListing(made.store, [member])
    expect(member.manifest.objects.length(0)).toBe(7)
  })
})
