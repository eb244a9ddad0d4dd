/**
 * A repository with three backups, and every way in which one of its objects can be damaged.
 *
 * The first volume is backed up twice, changed a little in between; the second shares some of its content: so each pack
 * hurts another set of backups.
 */
import type { BackupInfo } from '../../../src/contract/backup.ts'
import { decodePackRecord } from '../../../src/repository/index-block.ts'
import { readDirectory } from '../../../src/repository/pack.ts'
import { HEADER_BYTES } from '../../../src/repository/seal.ts'
import { createMemoryStorage } from '../../../src/storage/memory.ts'
import { copyOf, namesUnder, newRepository, type Objects, opened, sealerOf, type TestRepository } from './repositories.ts'
import { noise } from './random.ts'
import { fileOf, spread, volumeOf } from './volumes.ts'

const SIZE = 300_000
/** Two segments, so that its map has an inner node. */
const LARGE_SIZE = 4 * 1024 * 1024 + 50_000

export interface DamageSubject {
  repository: TestRepository
  backups: { info: BackupInfo; volume: Uint8Array; source: string }[]
  /** Objects by what they are, and names that last for one run only. */
  roles: Map<string, string>
}

export async function damageSubject(encryption: boolean): Promise<DamageSubject> {
  const repository = await newRepository({ encryption })
  const first = volumeOf(SIZE, spread(10, SIZE, 24))
  const changed = first.slice()
  changed.set(noise(11, 9000), 90_000)
  changed.set(noise(12, 5000), SIZE - 6000)
  const second = volumeOf(LARGE_SIZE, [...spread(13, LARGE_SIZE, 20), { offset: 4096 * 3, bytes: first.subarray(0, 4096) }])
  const backups: DamageSubject['backups'] = []
  const roles = new Map<string, string>([['config', 'the config']])
  for (const [number, slot] of namesUnder(repository.objects, 'keys/').entries()) roles.set(slot, `key slot ${number + 1}`)
  for (const [name, volume] of [
    ['first', first],
    ['second', second],
    ['first', changed],
  ] as const) {
    const before = new Set(repository.objects.keys())
    const source = fileOf(volume, name)
    backups.push({ info: await opened(repository, (open) => open.backup(source, { volume: name })), volume, source })
    for (const object of repository.objects.keys()) {
      const kind = { packs: 'the pack', index: 'the index', backups: 'the manifest' }[object.split('/')[0] ?? '']
      if (!before.has(object)) roles.set(object, `${kind} of backup ${backups.length}`)
    }
  }
  return { repository, backups, roles }
}

export interface Damage {
  title: string
  /** Objects that are not as they were, by name; those that verify should name. */
  objects: string[]
  /** True when a listing shows the damage: a name or length is not what an index says. */
  seenInListing: boolean
  apply(objects: Objects): void
}

/** Every damage to every object of the subject. */
export async function damages({ repository, roles }: DamageSubject): Promise<Damage[]> {
  const all: Damage[] = []
  for (const [name, role] of roles) {
    const bytes = repository.objects.get(name)!
    const set = (to: Uint8Array<ArrayBuffer>) => (objects: Objects) => void objects.set(name, to)
    for (const [region, at] of await regions(repository, name)) {
      for (const bit of region === 'the version' ? [0, 7] : [at % 8])
        all.push({
          title: `${role}: bit ${bit} of ${region} flipped`,
          objects: [name],
          seenInListing: false,
          apply: set(bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte))),
        })
    }
    for (const [what, length] of [
      ['nothing', 0],
      ['one byte', 1],
      ['its header but one byte', HEADER_BYTES - 1],
      ['half', bytes.length >> 1],
      ['all but one byte', bytes.length - 1],
    ] as const) {
      all.push({ title: `${role}: cut to ${what}`, objects: [name], seenInListing: true, apply: set(bytes.slice(0, length)) })
    }
    for (const extra of [1, 4096])
      all.push({
        title: `${role}: ${extra} bytes added`,
        objects: [name],
        seenInListing: true,
        apply: set(Uint8Array.from([...bytes, ...new Uint8Array(extra)])),
      })
    all.push({ title: `${role}: zeros of its length`, objects: [name], seenInListing: false, apply: set(new Uint8Array(bytes.length)) })
    all.push({ title: `${role}: removed`, objects: [name], seenInListing: true, apply: (objects) => void objects.delete(name) })
    const renamed = name.includes('/') ? otherName(name) : undefined
    if (renamed !== undefined) {
      all.push({
        title: `${role}: renamed`,
        objects: [name, renamed],
        seenInListing: true,
        apply(objects) {
          objects.delete(name)
          objects.set(renamed, bytes)
        },
      })
    }
    for (const [other, otherRole] of roles) {
      if (other <= name || other.split('/')[0] !== name.split('/')[0]) continue
      all.push({
        title: `${role} and ${otherRole}: exchanged`,
        objects: [name, other],
        seenInListing: bytes.length !== repository.objects.get(other)!.length,
        apply(objects) {
          objects.set(name, repository.objects.get(other)!)
          objects.set(other, bytes)
        },
      })
    }
  }
  return all
}

/** The same kind of name, with the last digit another. */
function otherName(name: string): string {
  return name.slice(0, -1) + (name.endsWith('0') ? '1' : '0')
}

/** Bytes to flip, one in each part of the object. */
async function regions(repository: TestRepository, name: string): Promise<[string, number][]> {
  const bytes = repository.objects.get(name)!
  const last = bytes.length - 1
  if (name === 'config' || name.startsWith('keys/')) {
    const line = new TextDecoder().decode(bytes)
    const values = [...line.matchAll(/"(\w+)":("?)[^",{}]/g)].map((found): [string, number] => [`"${found[1]}"`, found.index + found[0].length - 1])
    return [['the first byte', 0], ...values, ['the end of the line', line.indexOf('\n')], ['the checksum', last - 10], ['the last byte', last]]
  }
  const header: [string, number][] = [
    ['the magic', 0],
    ['the version', 4],
    ['the type', 5],
    ['the epoch', 6],
    ['the salt', 8],
    ['the end of the salt', HEADER_BYTES - 1],
  ]
  if (!name.startsWith('packs/'))
    return [
      ...header,
      ['the first byte of the body', HEADER_BYTES],
      ['the middle of the body', (HEADER_BYTES + last) >> 1],
      ['the tag', last - 15],
      ['the last byte', last],
    ]
  const { frames } = decodePackRecord(
    (await readDirectory(createMemoryStorage(repository.objects), await sealerOf(repository), name.slice('packs/xx/'.length), bytes.length)).record,
  )
  const found = header
  let at = HEADER_BYTES
  for (const [number, { storedBytes }] of frames.entries()) {
    found.push([`frame ${number}`, at], [`the middle of frame ${number}`, at + (storedBytes >> 1)], [`the tag of frame ${number}`, at + storedBytes - 1])
    at += storedBytes
  }
  return [
    ...found,
    ['the directory', at],
    ['the middle of the directory', (at + last - 8) >> 1],
    ['the tag of the directory', last - 8],
    ['the length in the trailer', last - 7],
    ['the end of the trailer', last],
  ]
}

export function damagedCopy({ repository }: DamageSubject, damage: Damage): TestRepository {
  const copy = copyOf(repository)
  damage.apply(copy.objects)
  return copy
}
