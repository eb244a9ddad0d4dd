/**
 * A second reader of the repository format, written from docs/format.md alone: it imports nothing of src/, so that what it
 * reads proves the document, and the document proves what the engine writes. Slow, and for local directories only.
 */
import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import { decompress } from 'fzstd'
import { argon2id, blake3 } from 'hash-wasm'

type Bytes = Uint8Array<ArrayBuffer>
type Keyring = { fingerprintKey: Bytes; epochs: { number: number; key: Bytes }[] }
type Place = { pack: string; frame: number; frameOffset: number; stored: number; plain: number; codec: number; offset: number; length: number }
type Manifest = { id: string; volumeBytes: number; root: { level: number; fingerprint: string | null } }
/** A leaf's entry. */
type Piece = { offset: number; length: number; zero: boolean }
const TYPES = { manifest: 1, index: 2, pack: 3 }

export async function readRepository(root: string, secret: { key?: Bytes; passphrase?: string }) {
  const read = (name: string): Bytes => new Uint8Array(readFileSync(`${root}/${name}`))
  const lines = (name: string): [string, string] => {
    const [first = '', second = '', ...rest] = text(read(name)).split('\n')
    check(rest.length === 1 && rest[0] === '', `${name} is not two lines`)
    return [first, second]
  }

  const [line, signature] = lines('config')
  const config = JSON.parse(line)
  check(config.format === 'blockvault' && config.version === 1, 'format and version')
  const encrypted = config.seal === 'aes-256-gcm'
  const unencrypted = (what: string) => hkdf(bytesOf(config.id), '', `blockvault/1/unencrypted/${what}`)
  const { fingerprintKey, epochs } = encrypted
    ? await openSlots()
    : ({ fingerprintKey: unencrypted('fingerprint'), epochs: [{ number: 1, key: unencrypted('epoch') }] } satisfies Keyring)
  const configKey = hkdf(epochs[0]?.key ?? new Uint8Array(), '', 'blockvault/1/config')
  check(createHmac('sha256', configKey).update(line).digest('hex') === signature, 'signature of config')

  async function openSlots(): Promise<Keyring> {
    for (const name of readdirSync(`${root}/keys`).sort()) {
      const [slot, checksum] = lines(`keys/${name}`)
      check(createHash('sha256').update(slot).digest('hex') === checksum, 'checksum of a key slot')
      const { kdf, keyring, repository } = JSON.parse(slot)
      check(repository === config.id, 'slot of another repository')
      const { memoryKiB, passes, lanes } = kdf
      let key: Bytes
      if (kdf.name === 'argon2id' && secret.passphrase !== undefined) {
        const costs = { memorySize: memoryKiB, iterations: passes, parallelism: lanes, hashLength: 32 }
        key = new Uint8Array(await argon2id({ password: secret.passphrase, salt: fromHex(kdf.salt), ...costs, outputType: 'binary' }))
      } else if (kdf.name === 'hkdf-sha256' && secret.key) key = hkdf(secret.key, kdf.salt, 'blockvault/1/key-slot')
      else continue
      const additional = `blockvault/1/key-slot/${config.id}/${kdf.name}/${kdf.salt}/${memoryKiB === undefined ? '' : `${memoryKiB}/${passes}/${lanes}`}`
      const opened = JSON.parse(text(openGcm(key, 0, bytesOf(additional), fromHex(keyring))))
      const epochs = opened.epochs.map((epoch: { number: number; key: string }) => ({ number: epoch.number, key: fromHex(epoch.key) }))
      return { fingerprintKey: fromHex(opened.fingerprintKey), epochs }
    }
    throw new Error('No key slot opens.')
  }

  /** Opens a piece of the sealed object `name`, whose first 24 bytes are `header`. */
  async function open(type: keyof typeof TYPES, name: string, header: Bytes, number: number, sealed: Bytes): Promise<Bytes> {
    check(text(header.subarray(0, 4)) === 'BVLT' && header[4] === 1 && header[5] === TYPES[type] && header.length === 24, `header of ${name}`)
    const epoch = epochs.find((each) => each.number === (header[6] as number) + (header[7] as number) * 256)
    check(epoch !== undefined, `epoch of ${name}`)
    const key = hkdf(epoch.key, hex(header.subarray(8)), `blockvault/1/${type}`)
    const additional = join(header, bytesOf(config.id), bytesOf(name))
    if (encrypted) return openGcm(key, number, additional, sealed)
    const plain = sealed.slice(0, -16)
    const tag = await blake3(join(u32(12), u32(additional.length), u32(number), new Uint8Array(8), additional, plain), 256, key)
    check(tag.startsWith(hex(sealed.subarray(-16))), `checksum of ${name}`)
    return plain
  }
  async function openWhole(type: 'manifest' | 'index', name: string): Promise<Bytes> {
    const object = read(name)
    return open(type, name, object.slice(0, 24), 0, object.slice(24))
  }

  const places = new Map<string, Place>()
  for (const name of readdirSync(`${root}/index`)) parseBlock(await openWhole('index', `index/${name}`), places)
  const fromPacks = new Map<string, Place>()
  for (const folder of readdirSync(`${root}/packs`)) {
    for (const id of readdirSync(`${root}/packs/${folder}`)) {
      const name = `packs/${folder}/${id}`
      const pack = read(name)
      const trailer = pack.length - 8
      check(text(pack.subarray(trailer + 4)) === 'BVPE' && hex(pack.subarray(8, 24)) === id, `trailer and id of ${name}`)
      const directory = pack.slice(trailer - new DataView(pack.buffer).getUint32(trailer, true), trailer)
      check(parseBlock(await open('pack', name, pack.slice(0, 24), 2 ** 32 - 1, directory), fromPacks) === pack.length, `length of ${name}`)
    }
  }
  check(JSON.stringify([...places].sort()) === JSON.stringify([...fromPacks].sort()), 'index objects and directories say the same')

  async function chunk(fingerprint: string): Promise<Bytes> {
    const place = places.get(fingerprint)
    check(place !== undefined, `place of chunk ${fingerprint}`)
    const { pack: id, frame, frameOffset, stored, plain, codec, offset, length } = place
    const name = `packs/${id.slice(0, 2)}/${id}`
    const pack = read(name)
    const packed = await open('pack', name, pack.slice(0, 24), frame, pack.slice(frameOffset, frameOffset + stored))
    const unpacked = codec === 0 ? packed : codec === 1 ? decompress(packed) : codec === 3 ? inflateSync(packed) : new Uint8Array()
    check(unpacked.length === plain, `plaintext bytes of frame ${frame}`)
    const bytes = new Uint8Array(unpacked.subarray(offset, offset + length))
    check((await blake3(bytes, 256, fingerprintKey)) === fingerprint, `fingerprint of chunk ${fingerprint}`)
    return bytes
  }

  /** The volume, and the entries of its leaves. */
  async function restore(id: string): Promise<{ volume: Bytes; pieces: Piece[] }> {
    const { volumeBytes, root: top }: Manifest = JSON.parse(text(await openWhole('manifest', `backups/${id}`)))
    const volume = new Uint8Array(volumeBytes)
    const pieces: Piece[] = []
    async function walk(level: number, fingerprint: string | null, offset: number): Promise<void> {
      if (fingerprint === null) return
      const node = await chunk(fingerprint)
      check(node[0] === level, 'level of a node')
      const span = config.segmentBytes * 128 ** level
      const end = Math.min(offset + span, volumeBytes)
      let at = offset
      for (let entry = 1; entry < node.length; entry += node[entry] === 0 ? 5 : level > 0 ? 37 : 53) {
        const count = new DataView(node.buffer).getUint32(entry + 1, true)
        const child = node[entry] === 1 ? hex(node.subarray(entry + 5, entry + 37)) : null
        if (level > 0) for (let repeat = 0; repeat < count; repeat++, at += span / 128) await walk(level - 1, child, at)
        else {
          if (child !== null) {
            const bytes = await chunk(child)
            check((await changeTag(bytes)) === hex(node.subarray(entry + 37, entry + 53)), 'change tag of a chunk')
            volume.set(bytes, at)
          }
          pieces.push({ offset: at, length: count, zero: child === null })
          at += count
        }
      }
      check(level > 0 ? at >= end && at - end < span / 128 : at === end, 'total of a node')
    }
    await walk(top.level, top.fingerprint, 0)
    return { volume, pieces }
  }

  async function changeTag(bytes: Bytes): Promise<string> {
    const keys = fromHex(await blake3('blockvault/1 change tag', 1104 * 8, fingerprintKey))
    const [padded, key] = [new Uint8Array(Math.ceil(bytes.length / 1024) * 1024), new DataView(keys.buffer)]
    padded.set(bytes)
    const words = new DataView(padded.buffer)
    const sums = new BigUint64Array(padded.length / 256 + 1)
    const sum = (at: number, keyAt: number) => BigInt((words.getUint32(at, true) + key.getUint32(keyAt, true)) >>> 0)
    for (let block = 0; block < padded.length; block += 1024) {
      for (let pass = 0; pass < 4; pass++) {
        let total = 0n
        for (let at = 0; at < 1024; at += at % 32 === 12 ? 20 : 4) total += sum(block + at, at + pass * 16) * sum(block + at + 16, at + 16 + pass * 16)
        sums[block / 256 + pass] = BigInt.asUintN(64, total)
      }
    }
    sums[padded.length / 256] = BigInt(bytes.length)
    return (await blake3(new Uint8Array(sums.buffer), 256, keys.subarray(1072))).slice(0, 32)
  }

  /** Lengths of the chunks that a segment is cut into. */
  async function cut(segment: Bytes): Promise<number[]> {
    const { kind, size, min = size, average, max = size } = config.chunker
    const gear = new BigUint64Array(fromHex(await blake3('blockvault/1 gear', 2048 * 8, fingerprintKey)).buffer)
    const bits = Math.round(Math.log2(average ?? 1024))
    const top = (count: number) => BigInt.asUintN(64, -1n << BigInt(64 - count))
    const lengths: number[] = []
    for (let start = 0; start < segment.length; start += lengths.at(-1) as number) {
      const end = Math.min(max, segment.length - start)
      let [length, hash] = [end, 0n]
      for (let at = min; kind === 'fastcdc' && length === end && at < end; at++) {
        hash = BigInt.asUintN(64, hash * 2n + (gear[segment[start + at] as number] as bigint))
        if ((hash & top(at < average ? bits + 2 : bits - 2)) === 0n) length = at + 1
      }
      lengths.push(length)
    }
    return lengths
  }
  return { segmentBytes: config.segmentBytes as number, ids: readdirSync(`${root}/backups`), restore, cut }
}

/** Adds a block's chunks, the first place of each. Returns the length of its last pack. */
function parseBlock(block: Bytes, places: Map<string, Place>): number {
  const view = new DataView(block.buffer)
  let packBytes = 0
  let at = 4
  for (let packs = view.getUint32(0, true); packs > 0; packs--) {
    const pack = hex(block.subarray(at, at + 16))
    packBytes = view.getUint32(at + 16, true)
    const frames = view.getUint32(at + 20, true)
    at += 24
    for (let frame = 0, frameOffset = 24; frame < frames; frame++) {
      const [stored, plain, codec, count] = [view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint8(at + 8), view.getUint16(at + 10, true)]
      at += 12
      let offset = 0
      for (let chunk = 0; chunk < count; chunk++, at += 36) {
        const length = view.getUint32(at, true)
        const fingerprint = hex(block.subarray(at + 4, at + 36))
        if (!places.has(fingerprint)) places.set(fingerprint, { pack, frame, frameOffset, stored, plain, codec, offset, length })
        offset += length
      }
      check(offset === plain, 'chunks of a frame')
      frameOffset += stored
    }
  }
  check(at === block.length, 'end of an index block')
  return packBytes
}

function openGcm(key: Bytes, number: number, additional: Bytes, sealed: Bytes): Bytes {
  const cipher = createDecipheriv('aes-256-gcm', key, join(u32(number), new Uint8Array(8)))
  cipher.setAAD(additional).setAuthTag(sealed.subarray(-16))
  return join(cipher.update(sealed.subarray(0, -16)), cipher.final())
}

const hkdf = (secret: Bytes, salt: string, info: string): Bytes => new Uint8Array(hkdfSync('sha256', secret, fromHex(salt), info, 32))
const u32 = (number: number): Bytes => new Uint8Array(Uint32Array.of(number).buffer)
const text = (bytes: Bytes): string => new TextDecoder().decode(bytes)
const bytesOf = (ascii: string): Bytes => new Uint8Array(Buffer.from(ascii, 'ascii'))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (digits: string): Bytes => new Uint8Array(Buffer.from(digits, 'hex'))
const join = (...parts: Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts))

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`Not as docs/format.md says: ${what}.`)
}
