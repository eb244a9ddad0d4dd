#!/usr/bin/env node
/** The `blockvault` command on Node. */
import { runCommand } from '../../src/cli/run.ts'
import { createCommandHost } from './command-host.ts'

process.exitCode = await runCommand(process.argv.slice(2), createCommandHost())
