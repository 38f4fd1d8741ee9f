import { describe, expect, it } from 'vitest'
import { command, connector, NOW } from './fixtures'
import {
  isIntentShown,
  isShown,
  newest,
  progressOf,
  progressOfIntent,
  type Intent,
} from './stepper'

const states = (progress: { steps: { state: string }[] }) => progress.steps.map((s) => s.state)
const charging = connector({ state: 'charging', power_w: 7214 })

const intent = (over: Partial<Intent> = {}): Intent => ({
  kind: 'charge-now',
  body: {},
  key: 'key',
  phase: 'sending',
  error: null,
  command: null,
  at: NOW,
  ...over,
})

describe('progressOf', () => {
  it('goes sent → agreed → charging, never ahead of the server', () => {
    expect(progressOfIntent(intent()).steps[0]).toEqual({ label: 'Sending…', state: 'current' })
    for (const state of ['queued', 'sent'] as const) {
      const progress = progressOf(command({ state }), connector(), NOW)
      expect(states(progress)).toEqual(['done', 'current', 'todo'])
      expect(progress.text).toBe('Sent to your charger…')
    }
    const agreed = progressOf(command({ state: 'accepted' }), connector(), NOW)
    expect(states(agreed)).toEqual(['done', 'done', 'current'])
    expect(agreed.text).toBe('Charger agreed, waiting for power…')
    const proved = progressOf(command({ state: 'verified' }), charging, NOW)
    expect(states(proved)).toEqual(['done', 'done', 'done'])
    expect(proved.text).toBe('Charging at 7.2 kW')
  })

  it('says no figure that is not live', () => {
    const old = { ...charging, measured_at: '2026-08-04T13:03:00Z' }
    expect(progressOf(command({ state: 'verified' }), old, NOW).text).toBe('Charging')
  })

  it('shows where it went wrong, why, and what to do', () => {
    const reason = { code: 'x', text: 'Unplug the cable and try again.' }
    const rejected = progressOf(command({ state: 'rejected', reason }), connector(), NOW)
    expect(states(rejected)).toEqual(['done', 'failed', 'todo'])
    expect(rejected).toMatchObject({ phase: 'failed', help: reason.text })
    expect(states(progressOf(command({ state: 'no_effect', reason }), connector(), NOW))).toEqual([
      'done',
      'done',
      'failed',
    ])
    const silent = progressOf(command({ state: 'timed_out' }), connector(), NOW)
    expect(silent.help).toMatch(/no reason/)
  })

  it('knows a refusal from a missing answer', () => {
    const refused = progressOfIntent(intent({ phase: 'refused', error: 'No car is connected.' }))
    expect(refused).toMatchObject({ phase: 'failed', help: 'No car is connected.' })
    expect(states(refused)).toEqual(['failed', 'todo', 'todo'])
  })
})

describe('what is shown', () => {
  const at = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

  it('shows success for a moment and failure for some minutes', () => {
    const done = (s: number) => command({ state: 'verified', verified: at(s) })
    expect(isShown(done(3), connector(), NOW)).toBe(true)
    expect(isShown(done(20), connector(), NOW)).toBe(false)
    const failed = (s: number) => command({ state: 'timed_out', created: at(s) })
    expect(isShown(failed(60), connector(), NOW)).toBe(true)
    expect(isShown(failed(3600), connector(), NOW)).toBe(false)
  })

  it('forgets a failure that came true after all', () => {
    expect(isShown(command({ state: 'timed_out' }), charging, NOW)).toBe(false)
    const stop = command({ kind: 'stop', state: 'no_effect' })
    expect(isShown(stop, connector({ state: 'finished' }), NOW)).toBe(false)
    expect(isShown(stop, charging, NOW)).toBe(true)
  })

  it('follows the newest command, and of one command the account that got furthest', () => {
    const first = command({ id: 'a', state: 'verified', created: at(60) })
    const queued = command({ id: 'b' })
    const accepted = command({ id: 'b', state: 'accepted' })
    expect(newest([queued, first, accepted, null])).toBe(accepted)
    expect(newest([accepted, queued])).toBe(accepted)
    expect(newest([undefined, null])).toBeNull()
  })

  it('lets a newer command from another phone replace a refusal on this one', () => {
    const refused = intent({ phase: 'refused', at: NOW - 5000 })
    expect(isIntentShown(refused, null, NOW)).toBe(true)
    expect(isIntentShown(refused, command({ created: at(1) }), NOW)).toBe(false)
    expect(isIntentShown(refused, null, NOW + 3_600_000)).toBe(false)
    expect(isIntentShown(intent({ phase: 'sent' }), null, NOW)).toBe(false)
  })
})
