/** The main thread never blocks: the one promise about time that a test keeps. */
import { describe, expect, it } from 'vitest'
import { createKey } from './command.ts'
import { KIB, MIB, noise, overwrite, say } from './content.ts'
import { sparseFile } from './devices.ts'
import { DIST, startProgram } from './embedder.ts'
import { workplace } from './workplace.ts'

const VOLUME_BYTES = 512 * MIB
const DELAY_P99_MS = 20
/** A percentile counts turns, and hides a few that are very long: none may compute for so long. */
const TURN_MS_MAX = 100
/** A machine shared with others may hold a process up for reasons that are not its own. */
const ATTEMPTS = 3
/** Share of the time that the main thread waited for a processor from which on a clock no longer tells what it did. */
const CROWDED = 0.1

/** Milliseconds; each a 99th percentile over the turns of the loop. */
interface Delays {
  /** As `perf_hooks` tells it. */
  p99: number
  /** Without the time that the kernel let the thread wait for a processor. */
  ownP99: number
  /** Time on a processor: what the thread computed, however crowded the machine is. */
  computedP99: number
  /** The longest of them. */
  computedMax: number
  waitedShare: number
}

/** A block is what the thread does to itself; how much of a delay that is, is harder to tell the more others take of the machine. */
function blocked({ p99, ownP99, computedP99, computedMax, waitedShare }: Delays): number {
  if (computedMax >= TURN_MS_MAX) return computedMax
  return Math.min(p99, ownP99, waitedShare > CROWDED ? computedP99 : Number.POSITIVE_INFINITY)
}

describe('the event loop', () => {
  it(`turns within ${DELAY_P99_MS} ms (p99) while the library backs ${VOLUME_BYTES / MIB} MiB up with 2 workers`, async () => {
    const place = workplace()
    // Every chunk is new, and compresses to a fourth: 16 KiB of noise, then holes.
    const volume = sparseFile(place, 'volume', VOLUME_BYTES)
    const random = noise(1, VOLUME_BYTES / 4)
    for (let chunk = 0; chunk < VOLUME_BYTES / (64 * KIB); chunk++) {
      overwrite(volume, chunk * 64 * KIB, random.subarray(chunk * 16 * KIB, (chunk + 1) * 16 * KIB))
    }
    const { key } = createKey(place)
    let least = Number.POSITIVE_INFINITY
    for (let attempt = 1; attempt <= ATTEMPTS && least >= DELAY_P99_MS; attempt++) {
      const { stdout, stderr, exitCode } = await startProgram(place, measured(place.path(`repository-${attempt}`), key, volume)).answer
      expect(exitCode, stderr).toBe(0)
      const phases = JSON.parse(stdout) as { first: Delays; again: Delays }
      for (const [phase, { p99, ownP99, computedP99, computedMax, waitedShare }] of Object.entries(phases)) {
        const [all, own, computed, most] = [p99, ownP99, computedP99, computedMax].map((delay) => delay.toFixed(1))
        const crowded = Math.round(100 * waitedShare)
        say(
          `event-loop delay, ${phase} backup: p99 ${all} ms; without waiting for a processor (${crowded} %) ${own} ms; computing ${computed}, at most ${most} ms`,
        )
      }
      least = Math.min(least, Math.max(...Object.values(phases).map(blocked)))
    }
    expect(least).toBeLessThan(DELAY_P99_MS)
  }, 200_000)
})

function measured(directory: string, key: Uint8Array, volume: string): string {
  return `
    import { openSync, readSync } from 'node:fs'
    import { monitorEventLoopDelay } from 'node:perf_hooks'
    import { openRepository } from ${JSON.stringify(DIST)}

    // Of the main thread: nanoseconds on a processor, and nanoseconds ready to run but without one.
    let schedule
    try { schedule = openSync('/proc/self/schedstat', 'r') } catch {}
    const line = Buffer.alloc(128)
    const now = () => {
      const [computed, waited] = schedule === undefined ? [0, 0] : line.toString('latin1', 0, readSync(schedule, line, 0, line.length, 0)).split(' ')
      return { at: performance.now(), computed: computed / 1e6, waited: waited / 1e6 }
    }
    const p99 = (values) => values.sort((one, other) => one - other)[Math.floor(values.length * 0.99)]

    async function delays(work) {
      const [own, computed] = [[], []]
      const first = now()
      let last = first
      const timer = setInterval(() => {
        const next = now()
        own.push(next.at - last.at - (next.waited - last.waited))
        computed.push(next.computed - last.computed)
        last = next
      }, 2)
      const delay = monitorEventLoopDelay({ resolution: 2 })
      delay.enable()
      await work()
      delay.disable()
      clearInterval(timer)
      const [longest, waitedShare] = [Math.max(...computed), (last.waited - first.waited) / (last.at - first.at)]
      return { p99: delay.percentile(99) / 1e6, ownP99: p99(own), computedP99: p99(computed), computedMax: longest, waitedShare }
    }

    const credentials = { key: Uint8Array.of(${[...key].join()}) }
    const repository = await openRepository({ repository: ${JSON.stringify(directory)}, create: true, credentials, workers: 2 })
    const backup = () => repository.backup(${JSON.stringify(volume)})
    const first = await delays(backup)
    const again = await delays(backup)
    await repository.close()
    console.log(JSON.stringify({ first, again }))
  `
}
