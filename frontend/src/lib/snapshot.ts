import type { Collections, ServerMessage, Snapshot } from './api/types'

export const EMPTY: Snapshot = {
  seq: -1,
  time: '',
  sites: {},
  charge_points: {},
  connectors: {},
  commands: {},
}

const COLLECTIONS = ['sites', 'charge_points', 'connectors', 'commands'] as const

/** What a message makes of the state; `gap` means a change was missed and a snapshot must be asked anew. */
export interface Applied {
  snapshot: Snapshot
  gap: boolean
}

export function applyChanges(snapshot: Snapshot, message: ServerMessage): Applied {
  if (message.type === 'snapshot') {
    const { seq, time, sites, charge_points, connectors, commands } = message
    return { snapshot: { seq, time, sites, charge_points, connectors, commands }, gap: false }
  }
  if (message.type !== 'changes') return { snapshot, gap: false }
  if (message.seq <= snapshot.seq) return { snapshot, gap: false }
  if (message.seq !== snapshot.seq + 1) return { snapshot, gap: true }

  const next: Snapshot = { ...snapshot, seq: message.seq, time: message.time }
  const copied = new Set<keyof Collections>()
  for (const { collection, id, value } of message.changes) {
    // A newer server may send collections this version does not know.
    if (!COLLECTIONS.includes(collection)) continue
    if (!copied.has(collection)) {
      next[collection] = { ...next[collection] } as never
      copied.add(collection)
    }
    const target = next[collection] as Record<string, unknown>
    if (value === null) Reflect.deleteProperty(target, id)
    else target[id] = value
  }
  return { snapshot: next, gap: false }
}
