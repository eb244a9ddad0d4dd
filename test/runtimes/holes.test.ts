/** Holes: zeros to who reads them, on every runtime; on Bun, which can call fallocate(2), they give their space back too. */
import { readFileSync, statSync } from 'node:fs'
import { expect, it } from 'vitest'
import { attachLoop, lacksLoop } from '../node/devices.ts'
import { testUnless } from '../node/system.ts'
import { sharedWorkplace } from '../node/workplace.ts'
import { noise } from '../repository/support/random.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { bundlePrograms, runProgram } from './bundles.ts'
import { RUNTIMES, type Runtime } from './runtimes.ts'

const BYTES = 8 << 20
const place = sharedWorkplace()
const programOf = await bundlePrograms(temporaryDirectory(), 'holes')
const bytes = noise(1, BYTES)
const expected = bytes.slice().fill(0, 1000, BYTES - 1000)

/** Punches a hole into `volume`, which lies in `file`, and looks at both. */
async function punch(runtime: Runtime, volume: string, file: string): Promise<void> {
  await runProgram(runtime, programOf('holes', runtime), volume)
  expect(Buffer.compare(readFileSync(volume), expected), 'what is read').toBe(0)
  const { blocks } = statSync(file)
  if (runtime.adapter === 'bun' && process.platform === 'linux') expect(blocks * 512).toBeLessThan(BYTES / 8)
  else expect(blocks * 512).toBeGreaterThanOrEqual(BYTES)
}

it.each(RUNTIMES)('in a file, by $name', (runtime) => {
  const file = place.file(`file of ${runtime.name}`, bytes)
  return punch(runtime, file, file)
})

for (const runtime of RUNTIMES) {
  testUnless(lacksLoop)(`in a block device, by ${runtime.name}`, () => {
    const file = place.file(`device of ${runtime.name}`, bytes)
    return punch(runtime, attachLoop(place, file), file)
  })
}
