import { describe, expect, it } from 'vitest'
import type { ServerMessage } from './api/types'
import { chargePoint, command, connector, snapshot } from './fixtures'
import { applyChanges, EMPTY } from './snapshot'

const changes = (seq: number, list: unknown[]): ServerMessage => ({
  type: 'changes',
  seq,
  time: '2026-08-04T13:05:01Z',
  changes: list as never,
})

describe('applyChanges', () => {
  it('takes a snapshot as it is, whatever was known before', () => {
    const message: ServerMessage = { type: 'snapshot', ...snapshot, seq: 0 }
    expect(applyChanges(EMPTY, message).snapshot).toEqual({ ...snapshot, seq: 0 })
    expect(applyChanges({ ...snapshot, connectors: {} }, message).snapshot.connectors).toEqual(
      snapshot.connectors,
    )
  })

  it('makes the new snapshot of the old one and the changes', () => {
    const charging = connector({ state: 'charging', power_w: 7214 })
    const { snapshot: next, gap } = applyChanges(
      snapshot,
      changes(5, [
        { collection: 'connectors', id: 'c1', value: charging },
        { collection: 'commands', id: 'k1', value: command() },
        { collection: 'charge_points', id: 'p1', value: null },
      ]),
    )
    expect(gap).toBe(false)
    expect(next).toEqual({
      ...snapshot,
      seq: 5,
      time: '2026-08-04T13:05:01Z',
      connectors: { c1: charging },
      commands: { k1: command() },
      charge_points: {},
    })
  })

  it('leaves the old snapshot, and what did not change, untouched', () => {
    const before = structuredClone(snapshot)
    const { snapshot: next } = applyChanges(
      snapshot,
      changes(5, [{ collection: 'connectors', id: 'c2', value: connector({ id: 'c2' }) }]),
    )
    expect(snapshot).toEqual(before)
    expect(next.sites).toBe(snapshot.sites)
    expect(next.connectors.c1).toBe(snapshot.connectors.c1)
  })

  it('asks anew when a number was missed, and changes nothing', () => {
    const result = applyChanges(
      snapshot,
      changes(6, [{ collection: 'connectors', id: 'c1', value: null }]),
    )
    expect(result).toEqual({ snapshot, gap: true })
  })

  it('counts once what is said twice', () => {
    const late = changes(4, [{ collection: 'connectors', id: 'c1', value: null }])
    expect(applyChanges(snapshot, late)).toEqual({ snapshot, gap: false })
  })

  it('passes over collections it does not know', () => {
    const { snapshot: next } = applyChanges(
      snapshot,
      changes(5, [{ collection: 'tariffs', id: 't', value: { id: 't' } }]),
    )
    expect(next).toEqual({ ...snapshot, seq: 5, time: '2026-08-04T13:05:01Z' })
    expect(next.charge_points.p1).toBe(chargePoint)
  })

  it('is not moved by hello and pong', () => {
    const pong: ServerMessage = { type: 'pong', time: '2026-08-04T13:06:00Z' }
    expect(applyChanges(snapshot, pong).snapshot).toBe(snapshot)
  })
})
