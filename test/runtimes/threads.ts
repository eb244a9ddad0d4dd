/**
 * A program: what becomes of threads that do not do as they should. Its argument is a directory with the code of such threads; the answer is a
 * JSON line of error codes. It leaves a repository open: the process must end all the same.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { startThread } from '../../adapters/shared/worker-thread.ts'
import { adapter } from './adapter-node.ts'

const directory = process.argv.at(-1) as string
const answers: Record<string, string> = {}
for (const name of ['dies', 'leaves', 'throws', 'never ready', 'nonsense', 'absent']) {
  try {
    const port = startThread(pathToFileURL(join(directory, `${name}.mjs`)), { module: undefined, startMsMax: name === 'never ready' ? 500 : undefined })
    await port.call('anything', {})
    answers[name] = 'answered'
  } catch (error) {
    answers[name] = error instanceof BlockvaultError ? error.code : String(error)
  }
}

const platform = await adapter.createPlatform()
const storage = adapter.createDirectoryStorage(join(directory, 'repository'))
const options = { workers: 2, credentials: { key: new Uint8Array(32) } }
await initRepository(platform, storage, options)
const repository = await openRepository(platform, storage, options)
writeFileSync(join(directory, 'volume'), new Uint8Array(9_000_000).fill(1))
answers['left open'] = String((await repository.backup(join(directory, 'volume'))).volumeBytes)
process.stdout.write(`\n${JSON.stringify(answers)}\n`)
