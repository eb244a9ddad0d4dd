/** The terminal, environment and signals of Deno. The environment needs `--allow-env`. */
import { fromSystem, STORAGE_ERRORS, systemCode } from '../node/system-error.ts'
import type { Terminal } from '../node/terminal.ts'

/** As shells have them: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

export function createTerminal(): Terminal {
  const output = createOutput()
  return {
    interrupted: interruption(),
    environment,
    homeDirectory: () => environment(Deno.build.os === 'windows' ? 'USERPROFILE' : 'HOME'),
    writeOutput: output.write,
    writeError(text) {
      try {
        writeAll(Deno.stderr, text)
      } catch {
        // There is no place left to tell it.
      }
    },
    drain: output.drain,
    errorTerminal,
  }
}

function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name)
  } catch (error) {
    throw fromSystem(error, { codes: {}, otherwise: 'USAGE' }, `Reading ${name} from the environment`)
  }
}

/** Fires at the first SIGINT or SIGTERM. The second one ends the process, whatever its threads do. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  // Windows knows no other.
  const signals = Deno.build.os === 'windows' ? (['SIGINT'] as const) : (['SIGINT', 'SIGTERM'] as const)
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      if (controller.signal.aborted) Deno.exit(EXIT_CODES[signal])
      controller.abort(new Error(`Interrupted by ${signal}`))
    })
  }
  return controller.signal
}

/** Stdout, whose failure is told by `drain`. A closed pipe (`blockvault list | head`) is none. */
function createOutput() {
  let failure: unknown
  return {
    write(text: string) {
      try {
        writeAll(Deno.stdout, text)
      } catch (error) {
        if (systemCode(error) !== 'EPIPE') failure ??= error
      }
    },
    async drain() {
      if (failure) throw fromSystem(failure, STORAGE_ERRORS, 'Writing to standard output')
    },
  }
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text)
  for (let put = 0; put < bytes.length; ) put += stream.writeSync(bytes.subarray(put))
}

function errorTerminal(): { columns: number } | undefined {
  if (!Deno.stderr.isTerminal()) return undefined
  try {
    return Deno.consoleSize()
  } catch {
    return { columns: 0 }
  }
}
