/**
 * The backup tools that `versus` runs, ours among them, each with its exact commands.
 *
 * Every tool encrypts (defaults of each), reads the whole image again for every backup (no shortcut by time stamps), and
 * keeps its repository, caches and configuration under `paths.home`.
 */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'

export const OPERATIONS = ['first', 'unchanged', 'later', 'restore', 'verify'] as const
export type Operation = (typeof OPERATIONS)[number]
export type BackupOperation = Exclude<Operation, 'restore' | 'verify'>

export function isBackup(operation: Operation): operation is BackupOperation {
  return operation !== 'restore' && operation !== 'verify'
}

export interface ToolPaths {
  /** The image under the one name that all backups of a series have. */
  volume: string
  repository: string
  /** An empty directory that a restore fills with one file. */
  restored: string
  home: string
}

export interface Tool {
  name: string
  /** What differs from the others and matters for the figures. */
  note: string
  version: string
  ours: boolean
  setup: string
  /** Shell commands; `{id}` is the first backup's id. */
  commands: Readonly<Record<Operation, string>>
  /** Finds the id in the first backup's stdout; the tool needs none without it. */
  id?: RegExp
  env?: Readonly<Record<string, string>>
}

/** Shared by all: one passphrase, and no prompts or look-ups of newer versions in the measured time. */
export const TOOLS_ENV = {
  LC_ALL: 'C.UTF-8',
  BLOCKVAULT_PASSPHRASE: 'pw',
  RESTIC_PASSWORD: 'pw',
  RUSTIC_PASSWORD: 'pw',
  KOPIA_PASSWORD: 'pw',
  KOPIA_CHECK_FOR_UPDATES: 'false',
  BORG_PASSPHRASE: 'pw',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
}

/** Names of all peers, in the order of the table. */
export const PEERS: Readonly<Record<string, { binary: string; tool: (name: string, paths: ToolPaths) => Tool }>> = {
  'restic-fastest': { binary: 'restic', tool: restic('fastest') },
  'restic-auto': { binary: 'restic', tool: restic('auto') },
  'borg-lz4-fixed': { binary: 'borg', tool: borg('lz4', 'fixed,4194304') },
  'borg-lz4': { binary: 'borg', tool: borg('lz4') },
  'kopia-fixed': { binary: 'kopia', tool: kopia('zstd-fastest', 'FIXED-4M') },
  'rustic-zstd1': { binary: 'rustic', tool: rustic(1) },
}

/** `command` runs blockvault's command line: `node dist/blockvault.js`, or the same on another runtime. */
export function blockvault(name: string, command: string, paths: ToolPaths, options: string): Tool {
  const repository = `--repo ${paths.repository}`
  const backup = `${command} backup ${paths.volume} --volume vm --json ${repository}${options}`
  return {
    name,
    note: 'defaults',
    version: `${command} --version`,
    ours: true,
    setup: `${command} init ${repository}`,
    commands: {
      first: backup,
      unchanged: backup,
      later: backup,
      restore: `${command} restore {id} ${paths.restored}/vm.img --json ${repository}${options}`,
      verify: `${command} verify --read-data --json ${repository}${options}`,
    },
    id: /"type": ?"result".*?"id": ?"([^"]+)"/,
  }
}

function restic(compression: string) {
  return (name: string, paths: ToolPaths): Tool => {
    const base = `restic -r ${paths.repository} --compression ${compression}`
    const backup = `${base} backup --stdin --stdin-filename vm.img --host h --force --json --quiet <${paths.volume}`
    return {
      name,
      note: 'stdin; content-defined chunks of 1 MiB on average; zstd; AES-256-CTR + Poly1305-AES; SHA-256',
      version: 'restic version',
      ours: false,
      setup: `restic -r ${paths.repository} init`,
      commands: {
        first: backup,
        unchanged: backup,
        later: backup,
        restore: `${base} restore {id} --sparse --target ${paths.restored}`,
        verify: `${base} check --read-data`,
      },
      id: /"snapshot_id":"([0-9a-f]+)"/,
    }
  }
}

function borg(compression: string, chunker?: string) {
  return (name: string, paths: ToolPaths): Tool => {
    const parameters = chunker === undefined ? '' : ` --chunker-params ${chunker}`
    const directory = path.dirname(paths.volume)
    const backup = (archive: string): string =>
      `cd ${directory} && exec borg create --files-cache=disabled --compression ${compression}${parameters} ${paths.repository}::${archive} ${path.basename(paths.volume)}`
    return {
      name,
      note: `file, --files-cache=disabled; ${chunker === undefined ? 'content-defined chunks of 2 MiB on average' : 'fixed chunks of 4 MiB'}; AES-256-CTR + HMAC-SHA256`,
      version: 'borg --version',
      ours: false,
      setup: `borg init -e repokey ${paths.repository}`,
      commands: {
        first: backup('first'),
        unchanged: backup('unchanged'),
        later: backup('later'),
        restore: `cd ${paths.restored} && exec borg extract --sparse ${paths.repository}::first`,
        verify: `borg check --verify-data ${paths.repository}`,
      },
    }
  }
}

function kopia(compression: string, splitter: string) {
  return (name: string, paths: ToolPaths): Tool => {
    const base = `kopia --config-file=${paths.home}/kopia.config --no-progress --log-level=error --file-log-level=error --log-dir=${paths.home}/log`
    const backup = `${base} snapshot create ${path.dirname(paths.volume)} --force-hash=100 --json`
    return {
      name,
      note: `file in a directory, --force-hash=100; splitter ${splitter}; ${compression}; AES256-GCM; BLAKE2B-256-128`,
      version: 'kopia --version',
      ours: false,
      setup:
        `${base} repository create filesystem --path=${paths.repository} --cache-directory=${paths.home}/cache --object-splitter=${splitter}` +
        ` && ${base} policy set --global --compression=${compression}`,
      commands: {
        first: backup,
        unchanged: backup,
        later: backup,
        restore: `${base} snapshot restore --write-sparse-files {id} ${paths.restored}/out`,
        verify: `${base} snapshot verify --verify-files-percent=100`,
      },
      id: /"id":"([0-9a-f]{32})"/,
    }
  }
}

function rustic(level: number) {
  return (name: string, paths: ToolPaths): Tool => {
    const base = `rustic -r ${paths.repository} --no-progress`
    const backup = `${base} --log-level warn backup --host h --force --json ${paths.volume}`
    return {
      name,
      note: `file, --force; restic's repository format, zstd ${level}; no option for sparse restores`,
      version: 'rustic --version',
      ours: false,
      setup: `${base} init && ${base} config --set-compression ${level}`,
      commands: {
        first: backup,
        unchanged: backup,
        later: backup,
        restore: `${base} restore {id} ${paths.restored}`,
        verify: `${base} check --read-data`,
      },
      id: /"id": ?"([0-9a-f]{64})"/,
    }
  }
}

/** True when `binary` is an executable file in one of `directories`. */
export function installed(binary: string, directories: readonly string[]): boolean {
  return directories.some((directory) => {
    try {
      accessSync(path.join(directory, binary), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
