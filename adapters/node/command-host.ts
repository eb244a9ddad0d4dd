/** What the command needs of a runtime that has files: its terminal, secret files, and the library on its platform. */
import { randomFillSync, randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { CommandHost, SecretFile } from '../../src/cli/host.ts'
import type { Repository } from '../../src/contract/backup.ts'
import type { Core } from '../../src/contract/core.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { Platform, WorkerPlatform } from '../../src/contract/platform.ts'
import { measureMachine } from './bench-device.ts'
import { volumeFacts } from './facts.ts'
import { linkExclusive, makeDirectory, syncDirectory } from './files.ts'
import { readInputFile, writeFile } from './input-files.ts'
import { createDirectoryObjects } from './object-store.ts'
import { initRepositoryOn, openRepositoryOn, type RepositoryOptions } from '../shared/library.ts'
import { fromSystem, STORAGE_ERRORS, systemCode } from './system-error.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

const NO_SIMD = 'blockvault: this runtime has no WebAssembly SIMD: a fallback is used, which is many times slower\n'

export interface CommandHostParts {
  terminal: Terminal
  createPlatform(): Promise<Platform>
  workerPlatform(core: Core): WorkerPlatform
}

export function createCommandHost({ terminal, createPlatform, workerPlatform }: CommandHostParts): CommandHost {
  let fallbackTold = false
  const open = async (options: RepositoryOptions): Promise<Repository> => {
    const platform = await createPlatform()
    if (platform.core.kind === 'fallback' && !fallbackTold) terminal.writeError(NO_SIMD)
    fallbackTold = true
    return openRepositoryOn(platform, options)
  }
  return {
    ...terminal,
    version,
    now: () => performance.now(),
    random: (length) => randomFillSync(new Uint8Array(length)),
    readSecretFile,
    createSecretFile,
    volumeFacts,
    openObjectStore: (path) => createDirectoryObjects(resolve(path)),
    createPlatform,
    readInputFile,
    writeFile,
    openRepository: ({ repository, credentials, workers, signal }) =>
      open({ repository, workers, signal, credentials: ({ id, encrypted }) => credentials(id, encrypted) }),
    async initRepository({ repository, credentials, workers, signal, encryption, chunker }) {
      // Asked once: what made the repository also opens it.
      let given: Awaited<ReturnType<typeof credentials>> | undefined
      const options = {
        repository,
        workers,
        signal,
        init: { encryption, chunker },
        credentials: async ({ id, encrypted }: { id: string; encrypted: boolean }) => (given ??= await credentials(id, encrypted)),
      }
      await initRepositoryOn(await createPlatform(), options)
      return open(options)
    },
    bench: async (device, options) => measureMachine(workerPlatform((await createPlatform()).core), device, options),
  }
}

async function readSecretFile(path: string, bytesMax: number): Promise<SecretFile | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      const stats = await file.stat()
      const bytes = new Uint8Array(bytesMax)
      let got = 0
      while (got < bytesMax) {
        const { bytesRead } = await file.read(bytes, got, bytesMax - got, null)
        if (bytesRead === 0) break
        got += bytesRead
      }
      return { bytes: bytes.subarray(0, got), exposed: stats.isFile() && (stats.mode & 0o077) !== 0 }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw fromSystem(error, { codes: {}, otherwise: 'KEY_REQUIRED' }, `Reading ${path}`, { path })
  }
}

async function createSecretFile(path: string, bytes: Uint8Array): Promise<string | undefined> {
  const target = resolve(path)
  const directory = dirname(target)
  const temporary = join(directory, `.${randomUUID()}.partial`)
  try {
    await makeDirectory(directory, 0o700)
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(bytes)
        await file.chmod(0o600)
        await file.sync()
      } finally {
        await file.close()
      }
      await linkExclusive(temporary, target)
    } finally {
      await rm(temporary, { force: true })
    }
    await syncDirectory(directory)
    return target
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined
    if (error instanceof BlockvaultError) throw error
    throw fromSystem(error, STORAGE_ERRORS, `Writing ${target}`, { path: target })
  }
}
