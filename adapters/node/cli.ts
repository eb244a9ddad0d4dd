#!/usr/bin/env node
/** The `blockvault` command on Node. */
import { runCommand } from '../../src/cli/run.ts'
import { createCommandHost } from './command-host.ts'
import { createPlatform } from './platform.ts'
import { createTerminal } from './terminal.ts'
import { workerPlatform } from './worker-platform.ts'

// Should the command ever stop without an end, Node would leave with 13, which means damage here.
process.exitCode = 1
process.exitCode = await runCommand(process.argv.slice(2), createCommandHost({ terminal: createTerminal(), createPlatform, workerPlatform }))
