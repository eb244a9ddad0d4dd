/**
 * Backups that Cinder 29.0.0 made: full and incremental ones of its posix, S3 and Swift drivers, with what a restore of each must give.
 * They lie beside the checkout; a clone without them skips the suites that need them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../../shared/cinder/fixtures', import.meta.url))

export interface FixtureStep {
  /** For a test's title. */
  title: string
  /** Directory that the containers lie in. */
  store: string
  container: string
  prefix: string
  backupId: string
  parentId: string | null
  volumeId: string
  objectCount: number
  volumeBytes: number
  sha256: string
  /** The `backup-export` record of Cinder's API. */
  exported: { backup_service: string; backup_url: string }
  /** The row, with Cinder's names. */
  row: Record<string, unknown>
  options: Record<string, string>
}

export const FIXTURES_PRESENT = existsSync(root)

export const fixtureSteps: readonly FixtureStep[] = FIXTURES_PRESENT ? readdirSync(root).flatMap(stepsOf) : []

interface Expected {
  steps: {
    backup_id: string
    parent_id: string | null
    object_count: number
    record: string
    options: Record<string, string>
    volume: { bytes: number; sha256: string }
  }[]
}

type Row = Record<string, unknown> & { container: string; service_metadata: string; volume_id: string }

function stepsOf(name: string): FixtureStep[] {
  const directory = join(root, name)
  const expected = json<Expected>(join(directory, 'expected.json'))
  return expected.steps.map((step, index) => {
    const row = json<{ backup: Row }>(join(directory, step.record)).backup
    return {
      title: `${name} ${index + 1}`,
      store: join(directory, 'store'),
      container: row.container,
      prefix: row.service_metadata,
      backupId: step.backup_id,
      parentId: step.parent_id,
      volumeId: row.volume_id,
      objectCount: step.object_count,
      volumeBytes: step.volume.bytes,
      sha256: step.volume.sha256,
      exported: json<{ 'backup-record': FixtureStep['exported'] }>(join(directory, `export-${index + 1}.json`))['backup-record'],
      row,
      options: step.options,
    }
  })
}

/** The bytes of one object of a step, by what comes behind its prefix. */
export function objectBytes({ store, container, prefix }: FixtureStep, suffix: string): Buffer {
  return readFileSync(join(store, container, prefix + suffix))
}

function json<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(path, 'utf8')) as Shape
}
