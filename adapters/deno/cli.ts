#!/usr/bin/env -S deno run --allow-read --allow-write --allow-env --allow-sys=hostname
/** The `blockvault` command on Deno. */
import { runCommand } from '../../src/cli/run.ts'
import { createCommandHost } from '../node/command-host.ts'
import { createPlatform } from './platform.ts'
import { createTerminal } from './terminal.ts'
import { workerPlatform } from './worker-platform.ts'

// Should the command ever stop without an end.
Deno.exitCode = 1
Deno.exitCode = await runCommand(Deno.args, createCommandHost({ terminal: createTerminal(), createPlatform, workerPlatform }))
