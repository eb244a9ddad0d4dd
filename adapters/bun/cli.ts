#!/usr/bin/env bun
/** The `blockvault` command on Bun. */
import { runCommand } from '../../src/cli/run.ts'
import { createCommandHost } from '../node/command-host.ts'
import { createTerminal } from '../node/terminal.ts'
import { createPlatform } from './platform.ts'
import { workerPlatform } from './worker-platform.ts'

// Should the command ever stop without an end.
process.exitCode = 1
process.exitCode = await runCommand(process.argv.slice(2), createCommandHost({ terminal: createTerminal(), createPlatform, workerPlatform }))
