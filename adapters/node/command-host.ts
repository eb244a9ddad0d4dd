/** What the command needs of Node: terminal, environment, signals, secret files, and this adapter's library. */
import { randomFillSync, randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { CommandHost, SecretFile } from '../../src/cli/host.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { measureMachine } from './bench-device.ts'
import { volumeFacts } from './facts.ts'
import { linkExclusive, makeDirectory, syncDirectory } from './files.ts'
import { initRepository, openRepository } from './index.ts'
import { fromSystem, STORAGE_ERRORS, systemCode } from './system-error.ts'
import { version } from './version.ts'

export function createCommandHost(): CommandHost {
  const output = createOutput()
  return {
    version,
    interrupted: interruption(),
    environment: (name) => process.env[name],
    homeDirectory: () => homedir() || undefined,
    now: () => performance.now(),
    random: (length) => randomFillSync(new Uint8Array(length)),
    writeOutput: output.write,
    writeError: (text) => void process.stderr.write(text),
    drain: output.drain,
    errorTerminal: () => (process.stderr.isTTY ? { columns: process.stderr.columns ?? 0 } : undefined),
    readSecretFile,
    createSecretFile,
    volumeFacts,
    openRepository: ({ repository, credentials, workers, signal }) =>
      openRepository({ repository, workers, signal, credentials: ({ id, encrypted }) => credentials(id, encrypted) }),
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
      await initRepository(options)
      return openRepository(options)
    },
    bench: measureMachine,
  }
}

/**
 * Fires at the first SIGINT or SIGTERM. The second one ends the process as the system does when nobody listens: `process.exit`
 * would first wait for every thread, so for ever when one hangs in a system call.
 */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        controller.abort(new Error(`Interrupted by ${signal}`))
        return
      }
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  }
  return controller.signal
}

/** Stdout, whose failure is told by `drain`. A closed pipe (`blockvault list | head`) is none. */
function createOutput() {
  let failure: unknown
  let pending = Promise.resolve()
  process.stdout.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') failure ??= error
  })
  process.stderr.on('error', () => {})
  return {
    write(text: string) {
      const written = new Promise<void>((done) => process.stdout.write(text, () => done()))
      pending = pending.then(() => written)
    },
    async drain() {
      await pending
      if (failure) throw fromSystem(failure, STORAGE_ERRORS, 'Writing to standard output')
    },
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
