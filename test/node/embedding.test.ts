/** The library inside somebody else's program, each in a process of its own: the built files, as an installed package has them. */
import { describe, expect, it } from 'vitest'
import { compare, MIB, noise } from './content.ts'
import { DIST, startProgram } from './embedder.ts'
import { startProcess } from './command.ts'
import { type Workplace, workplace } from './workplace.ts'

const KEY = 'Uint8Array.from({ length: 32 }, (_, index) => index)'
/** How long after its first word a program may need to end: it says something when its work is done. */
const ENDING_MS = 5000

/** Runs the program and expects it to end by itself, without a word on stderr. Resolves to what it printed. */
async function printed(place: Workplace, program: string): Promise<string> {
  const running = startProgram(place, program)
  const late = running.said('stdout', /\n/).then(
    () => setTimeout(() => running.signal('SIGKILL'), ENDING_MS),
    () => undefined,
  )
  const { exitCode, signal, stdout, stderr } = await running.answer
  clearTimeout(await late)
  expect({ exitCode, signal, stderr }, stdout).toEqual({ exitCode: 0, signal: null, stderr: '' })
  return stdout.trim()
}

function setUp() {
  const place = workplace()
  const volume = place.file('volume', noise(1, 9 * MIB + 5))
  return { place, volume, restored: place.path('restored') }
}

describe('a program that uses the library', () => {
  it('backs up in three lines, and ends by itself', async () => {
    const { place, volume } = setUp()
    const out = await printed(
      place,
      `import { openRepository } from '${DIST}'
       const repository = await openRepository({ repository: '${place.path('repository')}', create: true, credentials: { passphrase: 'correct horse' } })
       console.log((await repository.backup('${volume}')).newBytes)
       await repository.close()`,
    )
    expect(out).toBe(String(9 * MIB + 5))
  })

  it('backs up, lists, verifies and restores through a storage backend of its own, an open volume as source', async () => {
    const { place, volume, restored } = setUp()
    const out = await printed(
      place,
      `import { openRepository, openVolume, createMemoryStorage } from '${DIST}'
       const names = []
       const inner = createMemoryStorage()
       const storage = { ...inner, description: 'my own', put: (name, ...rest) => (names.push(name.split('/')[0]), inner.put(name, ...rest)) }
       const repository = await openRepository({ repository: storage, create: true, credentials: { key: ${KEY} }, workers: 2 })
       const volume = await openVolume('${volume}')
       const { id } = await repository.backup(volume, { volume: 'mine', tags: { from: 'handle' } })
       await volume.close()
       const [only, ...others] = await repository.list()
       const { errors } = await repository.verify({ readData: true })
       await repository.restore('latest:mine', '${restored}')
       await repository[Symbol.asyncDispose]()
       console.log(JSON.stringify([repository.location, only.id === id, others.length, only.sourcePath, only.tags.from, errors.length, [...new Set(names)].sort().join()]))`,
    )
    expect(JSON.parse(out)).toEqual(['my own', true, 0, '', 'handle', 0, 'backups,config,index,keys,packs'])
    compare(volume, restored)
  })

  it('backs a volume up that only it knows', async () => {
    const { place, volume, restored } = setUp()
    await printed(
      place,
      `import { readFileSync } from 'node:fs'
       import { openRepository, createMemoryStorage } from '${DIST}'
       const bytes = new Uint8Array(readFileSync('${volume}'))
       // The part of VolumeFile that a backup reads from.
       const volume = { kind: 'file', size: bytes.length, readAt: async (offset, length) => bytes.slice(offset, offset + length) }
       const repository = await openRepository({ repository: createMemoryStorage(), create: true, credentials: { key: ${KEY} } })
       const { id } = await repository.backup(volume)
       await repository.restore(id, '${restored}')
       await repository.close()`,
    )
    compare(volume, restored)
  })

  it('meets one class of errors with codes, across workers too', async () => {
    const { place, volume } = setUp()
    const out = await printed(
      place,
      `import { openRepository, createMemoryStorage, BlockvaultError, isBlockvaultError } from '${DIST}'
       const code = (promise) => promise.then(() => 'none', (error) => error instanceof BlockvaultError && isBlockvaultError(error, error.code) && error.code)
       const storage = createMemoryStorage()
       const codes = [await code(openRepository({ repository: storage, credentials: { key: ${KEY} } }))]
       const repository = await openRepository({ repository: storage, create: true, credentials: { key: ${KEY} }, workers: 2 })
       codes.push(await code(openRepository({ repository: storage })))
       codes.push(await code(openRepository({ repository: storage, credentials: { key: new Uint8Array(32) } })))
       codes.push(await code(openRepository({ repository: storage, credentials: { key: new Uint8Array(31) } })))
       codes.push(await code(repository.backup('${place.path('missing')}')))
       codes.push(await code(repository.backup('${volume}', { volume: '' })))
       codes.push(await code(repository.backup('${volume}', { signal: AbortSignal.abort() })))
       const controller = new AbortController()
       codes.push(await code(repository.backup('${volume}', { signal: controller.signal, onProgress: () => controller.abort() })))
       codes.push((await repository.list()).length)
       await repository.close()
       codes.push(await code(repository.list()))
       console.log(codes.join())`,
    )
    expect(out).toBe('REPOSITORY_MISSING,KEY_REQUIRED,KEY_WRONG,USAGE,SOURCE_MISSING,USAGE,CANCELLED,CANCELLED,0,CLOSED')
  })

  it('stays alive while a job runs that nobody waits for', async () => {
    const { place, volume } = setUp()
    const out = await printed(
      place,
      `import { openRepository, createMemoryStorage } from '${DIST}'
       const repository = await openRepository({ repository: createMemoryStorage(), create: true, credentials: { key: ${KEY} }, workers: 2 })
       void repository.backup('${volume}').then(() => console.log('done')).then(() => repository.close())`,
    )
    expect(out).toBe('done')
  })

  // Defect in adapters/node/spawn.ts: workers are never unref'd, so that a repository that was not closed keeps its process.
  it('ends although it forgot to close: an idle worker keeps no process alive', async () => {
    const { place, volume } = setUp()
    const out = await printed(
      place,
      `import { openRepository, openVolume, createMemoryStorage } from '${DIST}'
       const repository = await openRepository({ repository: createMemoryStorage(), create: true, credentials: { key: ${KEY} }, workers: 2 })
       const volume = await openVolume('${volume}')
       await repository.backup(volume)
       console.log('done')`,
    )
    expect(out).toBe('done')
  })

  // Defect in adapters/node/spawn.ts: workers inherit the program's execArgv, and --input-type is not for files.
  it('may be given to Node on the command line', async () => {
    const { place, volume } = setUp()
    const program = `
      import { openRepository, createMemoryStorage } from '${DIST}'
      const repository = await openRepository({ repository: createMemoryStorage(), create: true, credentials: { key: ${KEY} }, workers: 1 })
      await repository.backup('${volume}')
      await repository.close()`
    const { exitCode, stderr } = await startProcess(place, ['--input-type=module', '--eval', program], {}).answer
    expect(exitCode, stderr).toBe(0)
  })
})
