/** Ctrl-C and kill −9 in the middle of things: nothing that was there before is lost, and the next backup works. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRepository } from '../../adapters/node/index.ts'
import { createKey, createUser, jsonLines } from './command.ts'
import { compare, digestOf, MIB, noise, overwrite, printedSeed, randomNumbers, say } from './content.ts'
import { DIST, startProgram } from './embedder.ts'
import { tool } from './system.ts'
import { workplace } from './workplace.ts'

const VOLUME_BYTES = 64 * MIB
const CHANGED_BYTES = 24 * MIB
const KILLS = 20

describe('a backup that is killed', () => {
  it(`at ${KILLS} random moments leaves every earlier backup whole, and the next one succeeds`, async () => {
    const seed = printedSeed('moments of kill -9')
    const random = randomNumbers(seed)
    const place = workplace()
    const user = createUser(place)
    const { key, path: keyFile } = createKey(place)
    user.environment = { BLOCKVAULT_REPO: place.path('repository'), BLOCKVAULT_KEY_FILE: keyFile }
    await user.done('init')
    const volume = place.file('volume', noise(seed, VOLUME_BYTES))
    /** Digest of the volume's content at the time, by backup. */
    const contents = new Map<string, string>()
    const change = (round: number) => overwrite(volume, Math.floor(random() * (VOLUME_BYTES - CHANGED_BYTES)), noise(seed + 1 + round, CHANGED_BYTES))

    const open = () => openRepository({ repository: place.path('repository'), credentials: { key }, workers: 2 })
    const backUp = async () => {
      const repository = await open()
      try {
        const { id } = await repository.backup(volume)
        contents.set(id, digestOf(volume))
      } finally {
        await repository.close()
      }
    }

    await backUp()
    // How long a backup of so many changes takes here and now, from its first sign of work.
    change(0)
    const unharmed = user.start('backup', volume, '--json')
    await unharmed.said('stdout', /"progress"/)
    const begun = performance.now()
    expect((await unharmed.answer).exitCode).toBe(0)
    const workMs = performance.now() - begun
    contents.set((await user.list())[0]?.id ?? '', digestOf(volume))

    let killed = 0
    for (let round = 1; round <= KILLS; round++) {
      change(round)
      const running = user.start('backup', volume, '--json')
      await running.said('stdout', /"progress"/)
      await new Promise((done) => setTimeout(done, random() * workMs))
      running.signal('SIGKILL')
      const answer = await running.answer
      if (answer.signal === 'SIGKILL') killed++

      const repository = await open()
      try {
        const found = await repository.list({ onDamaged: (id, error) => expect.fail(`backup ${id}: ${error.message}`) })
        // A kill may come after the commit: then the backup counts.
        for (const { id } of found) if (!contents.has(id)) contents.set(id, digestOf(volume))
        expect(found.map(({ id }) => id).sort()).toEqual([...contents.keys()].sort())
        expect((await repository.verify()).errors).toEqual([])
      } finally {
        await repository.close()
      }
      if (round % 5 === 0) await backUp()
    }
    say(`${killed} of ${KILLS} backups died; the others were done before`)
    expect(killed).toBeGreaterThan(KILLS / 4)

    const repository = await open()
    try {
      expect((await repository.verify({ readData: true })).errors).toEqual([])
      for (const [id, content] of contents) {
        const target = place.path(id)
        await repository.restore(id, target)
        expect(digestOf(target), `backup ${id}`).toBe(content)
        tool('rm', target)
      }
    } finally {
      await repository.close()
    }
  }, 300_000)

  it('gives what it had stored to the next one', async () => {
    const place = workplace()
    const volume = place.file('volume', noise(7, VOLUME_BYTES))
    const directory = place.path('repository')
    const { key } = createKey(place)
    const running = startProgram(place, killedWhenStored(directory, key, volume))
    const { signal, stderr } = await running.answer
    expect(signal, stderr).toBe('SIGKILL')
    const storedBytes = packBytes(directory)
    expect(storedBytes).toBeGreaterThan(16 * MIB)

    const repository = await openRepository({ repository: directory, credentials: { key } })
    try {
      expect(await repository.list()).toEqual([])
      const { id, newBytes } = await repository.backup(volume)
      expect(newBytes).toBeLessThan(VOLUME_BYTES - 0.99 * storedBytes)
      // Noise does not compress: anything stored twice would show.
      expect(packBytes(directory)).toBeLessThan(VOLUME_BYTES * 1.01)
      expect((await repository.verify({ readData: true })).errors).toEqual([])
      await repository.restore(id, place.path('restored'))
    } finally {
      await repository.close()
    }
    compare(volume, place.path('restored'))
  })
})

describe('Ctrl-C', () => {
  for (const [signal, exitCodeOfSecond] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends a backup by ${signal} with 130 and no backup; the next one works`, async () => {
      const place = workplace()
      const user = createUser(place)
      await user.backup(place.file('small', noise(1, MIB)))
      const volume = place.file('volume', noise(2, VOLUME_BYTES))
      const running = user.start('backup', volume, '--json')
      await running.said('stdout', /"progress"/)
      running.signal(signal)
      const answer = await running.answer
      expect(answer).toMatchObject({ exitCode: 130, signal: null })
      expect(answer.stderr).toContain('press Ctrl-C again')
      expect(jsonLines(answer).at(-1)).toMatchObject({ type: 'error', code: 'CANCELLED', exitCode: 130 })
      expect(await user.list()).toHaveLength(1)
      expect((await user.verify('--read-data')).errors).toEqual([])
      await user.backup(volume)
      expect(await user.list()).toHaveLength(2)
    })

    it(`ends the process at once at the second ${signal}, whatever it waits for`, async () => {
      const place = workplace()
      const user = createUser(place)
      tool('mkfifo', place.path('passphrase'))
      // Nobody ever writes: the system call that opens it hears of no cancellation.
      const running = user.start('init', '--passphrase-file', place.path('passphrase'))
      await new Promise((done) => setTimeout(done, 1000))
      running.signal(signal)
      await running.said('stderr', /press Ctrl-C again/)
      running.signal(signal)
      const { exitCode, signal: by, seconds } = await running.answer
      // What a shell makes of a process that its signal ended is that exit code, too.
      expect(by === signal || exitCode === exitCodeOfSecond).toBe(true)
      expect(seconds).toBeLessThan(5)
    })
  }
})

/** A program that backs a volume up and ends itself the hard way as soon as two packs are stored. */
function killedWhenStored(directory: string, key: Uint8Array, volume: string): string {
  return `
    import { createDirectoryStorage, openRepository } from ${JSON.stringify(DIST)}
    const inner = createDirectoryStorage(${JSON.stringify(directory)})
    let packs = 0
    const put = async (name, ...rest) => {
      await inner.put(name, ...rest)
      if (name.startsWith('packs/') && ++packs === 2) process.kill(process.pid, 'SIGKILL')
    }
    const credentials = { key: Uint8Array.of(${[...key].join()}) }
    const repository = await openRepository({ repository: { ...inner, put }, create: true, credentials, workers: 2 })
    await repository.backup(${JSON.stringify(volume)})
  `
}

function packBytes(directory: string): number {
  return readdirSync(join(directory, 'packs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
