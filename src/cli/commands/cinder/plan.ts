/** From an id to what has to be read: the chain, compared with the store, and its plan. Nothing is written before all of this is right. */
import { type ChainMember, loadChain } from '../../../cinder/chain.ts'
import { checkListing } from '../../../cinder/listing.ts'
import { measureLengths } from '../../../cinder/measure-lengths.ts'
import { planRestore, type RestorePlan } from '../../../cinder/restore-plan.ts'
import type { ObjectStore } from '../../../contract/object-store.ts'
import type { Session } from '../../session.ts'
import type { Engine } from './engine.ts'
import { findBackup, openIndex } from './store.ts'

export interface PlannedBackup {
  /** From the full backup to the wanted one. */
  chain: readonly ChainMember[]
  plan: RestorePlan
}

/** @throws BackupNotFound, BACKUP_AMBIGUOUS, InvalidBackup, OBJECT_MISSING, OBJECT_DAMAGED */
export async function planBackup(session: Session, store: ObjectStore, { pool }: Engine, id: string): Promise<PlannedBackup> {
  const signal = session.host.interrupted
  const index = await openIndex(store, session)
  await findBackup(index, id, store)
  const chain = await loadChain(store, id, { locate: index.find, signal })
  await checkListing(store, chain, { signal })
  await measureLengths(chain, { store, ports: pool.ports, signal })
  return { chain, plan: planRestore(chain) }
}
