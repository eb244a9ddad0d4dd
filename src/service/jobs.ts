/**
 * The jobs that run in this process, by backup.
 *
 * Invariant: a backup has at most one job here at a time, and a job is known from before its first change of a row until after its
 * last: who has cancelled it and waited may change the rows.
 */
import { BlockvaultError } from '../contract/errors.ts'

export interface Jobs {
  /** Runs `work` as this backup's job. Its signal fires when the caller's does, or `cancel`. @throws InvalidBackup, CLOSED */
  run<Result>(backupId: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>
  /** Cancels the backup's job, when one runs here, and waits for its end. */
  cancel(backupId: string, reason: string): Promise<void>
  has(backupId: string): boolean
  /** Takes no more jobs and waits for those that run; with `cancel`, cancels them first. */
  close(options: { cancel: boolean }): Promise<void>
}

export function createJobs(): Jobs {
  const running = new Map<string, { controller: AbortController; ended: Promise<unknown> }>()
  let closed = false
  return {
    async run(backupId, signal, work) {
      if (closed) throw new BlockvaultError('CLOSED', 'The backup service was closed: make a new one.')
      if (running.has(backupId))
        throw new BlockvaultError('InvalidBackup', `Backup ${backupId} is being worked on: wait until that is done, or cancel it.`, { details: { backupId } })
      const controller = new AbortController()
      const job = work(signal ? AbortSignal.any([signal, controller.signal]) : controller.signal)
      running.set(backupId, { controller, ended: job.catch(() => {}) })
      try {
        return await job
      } finally {
        running.delete(backupId)
      }
    },
    async cancel(backupId, reason) {
      const job = running.get(backupId)
      job?.controller.abort(new BlockvaultError('CANCELLED', reason, { details: { backupId } }))
      await job?.ended
    },
    has: (backupId) => running.has(backupId),
    async close({ cancel }) {
      closed = true
      const jobs = [...running.values()]
      if (cancel) for (const { controller } of jobs) controller.abort(new BlockvaultError('CANCELLED', 'The backup service was closed.'))
      await Promise.all(jobs.map(({ ended }) => ended))
    },
  }
}
