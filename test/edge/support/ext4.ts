/** A real ext4 image with files in it, and repositories that hold it: one opened by a key, one by a passphrase, one by nobody's. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemoryStorage, openRepository } from '../../../adapters/node/index.ts'
import { temporaryDirectory } from '../../repository/support/volumes.ts'

export const PASSPHRASE = 'correct horse battery staple'
export const KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 7)

/** Why there is no image to be had here, or `undefined`. */
export const noExt4: string | undefined = spawnSync('mkfs.ext4', ['-V']).error ? 'mkfs.ext4 is missing (e2fsprogs)' : undefined

export interface Image {
  path: string
  bytes: number
  sha256: string
}

export interface StoredImage {
  image: Image
  /** Objects of each repository. */
  repositories: Record<'key' | 'passphrase' | 'open', Map<string, Uint8Array<ArrayBuffer>>>
}

/** Files of text and of noise, in an image of `mebibytes`; half of it stays empty. */
export function makeImage(mebibytes: number): Image {
  const folder = temporaryDirectory()
  const content = join(folder, 'content')
  mkdirSync(content)
  let state = 1
  const noise = (length: number) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 24
    })
  for (let file = 0; file < mebibytes / 4; file++) {
    writeFileSync(join(content, `noise-${file}`), noise(1024 * 1024))
    writeFileSync(join(content, `text-${file}`), `line of file ${file}\n`.repeat(50_000))
  }
  const path = join(folder, 'disk.img')
  execFileSync('mkfs.ext4', ['-q', '-F', '-d', content, path, `${mebibytes}M`], { stdio: 'ignore' })
  const bytes = readFileSync(path)
  return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

type Kind = keyof StoredImage['repositories']

/** `kinds`: the others are empty. All by default. */
export async function storeImage(mebibytes: number, kinds: readonly Kind[] = ['key', 'passphrase', 'open']): Promise<StoredImage> {
  const image = makeImage(mebibytes)
  const store = async (kind: Kind, options: Parameters<typeof openRepository>[0]['credentials']) => {
    const objects = new Map<string, Uint8Array<ArrayBuffer>>()
    if (!kinds.includes(kind)) return objects
    await using repository = await openRepository({
      repository: createMemoryStorage(objects),
      credentials: options,
      init: { encryption: options !== undefined },
      create: true,
      workers: 0,
    })
    await repository.backup(image.path)
    return objects
  }
  return {
    image,
    repositories: {
      key: await store('key', { key: KEY }),
      passphrase: await store('passphrase', { passphrase: PASSPHRASE }),
      open: await store('open', undefined),
    },
  }
}
