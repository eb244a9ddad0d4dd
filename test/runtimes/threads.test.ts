/** Threads that die, never answer or answer nonsense, and one that is forgotten, on every runtime. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { bundlePrograms, runProgram } from './bundles.ts'
import { RUNTIMES } from './runtimes.ts'

const programOf = await bundlePrograms(temporaryDirectory(), 'threads')
const READY = `import { workerData } from 'node:worker_threads'
const { port } = workerData
port.postMessage('ready')
port.addEventListener('message', ({ data: { call } }) => {`

/** The code of threads, by what they do. */
const THREADS = {
  dies: `${READY} throw new Error('dies') })\nport.start()`,
  leaves: `${READY} process.exit(0) })\nport.start()`,
  throws: `throw new Error('throws')`,
  'never ready': 'for (;;);',
  nonsense: `${READY} port.postMessage({ answer: call + 1, value: 1 }) })\nport.start()`,
}

describe.each(RUNTIMES)('on $name', (runtime) => {
  it('a worker that stops, is never ready or breaks the protocol is WORKER_FAILED; an open repository keeps no process alive', {
    timeout: 120_000,
  }, async () => {
    const directory = temporaryDirectory()
    for (const [name, code] of Object.entries(THREADS)) writeFileSync(join(directory, `${name}.mjs`), code)
    expect(await runProgram(runtime, programOf('threads', runtime), directory)).toEqual({
      ...Object.fromEntries([...Object.keys(THREADS), 'absent'].map((name) => [name, 'WORKER_FAILED'])),
      'left open': '9000000',
    })
  })
})
