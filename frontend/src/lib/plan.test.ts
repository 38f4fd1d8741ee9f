import { describe, expect, it } from 'vitest'
import type { Plan } from './api/types'
import { allowedStretches, planText, ticks } from './plan'

const plan: Plan = {
  generated_at: '2026-08-04T15:30:00Z',
  from: '2026-08-04T15:30:00Z',
  to: '2026-08-05T15:30:00Z',
  time_zone: 'Europe/London',
  items: [
    { from: '2026-08-04T15:30:00Z', to: '2026-08-04T21:07:31Z', limit_a: 0, reason: null },
    { from: '2026-08-04T21:07:31Z', to: '2026-08-05T00:00:00Z', limit_a: 32, reason: null },
    { from: '2026-08-05T00:00:00Z', to: '2026-08-05T06:30:00Z', limit_a: null, reason: null },
    { from: '2026-08-05T06:30:00Z', to: '2026-08-05T15:30:00Z', limit_a: 0, reason: null },
  ],
}
const now = Date.parse(plan.from)

describe('the plan', () => {
  it('joins neighbouring stretches', () => {
    expect(allowedStretches(plan)).toEqual([
      { from: Date.parse('2026-08-04T21:07:31Z'), to: Date.parse('2026-08-05T06:30:00Z') },
    ])
  })

  it('reads as a sentence', () => {
    const text = planText(plan, allowedStretches(plan), [{ from: now, to: now + 16_200_000 }], now)
    expect(text).toBe('May charge 22:07 to tomorrow 07:30. Peak hours now to 21:00.')
    expect(planText(plan, [], [], now)).toBe('No charging planned in the next 24 hours.')
    const all = [{ from: now, to: Date.parse(plan.to) }]
    expect(planText(plan, all, [], now)).toBe('May charge at any time in the next 24 hours.')
  })

  it('puts labels on whole local hours', () => {
    expect(ticks(plan, 6).map(({ hour }) => hour)).toEqual([18, 0, 6, 12])
  })
})
