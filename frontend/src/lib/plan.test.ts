import { describe, expect, it } from 'vitest'
import type { Plan } from './api/types'
import { allowedStretches, pieceAt, pieceText, planPieces, planText, ticks } from './plan'

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

  it('tells its pieces apart by what holds and why', () => {
    const item = (from: string, to: string, limit_a: number, code: string, text: string) => ({
      from: `2026-08-04T${from}:00Z`,
      to: `2026-08-04T${to}:00Z`,
      limit_a,
      reason: { code, text },
    })
    const pieces = planPieces({
      ...plan,
      items: [
        item('15:30', '16:00', 0, 'holiday-pause', 'Paused.'),
        item('16:00', '16:05', 0, 'random-delay', 'Random delay.'),
        item('16:05', '17:00', 10, 'shared-capacity', 'Shared.'),
        item('17:00', '18:00', 32, 'default-hours', 'Your hours.'),
        item('18:00', '19:00', 32, 'default-hours', 'Your hours.'),
        item('19:00', '20:00', 0, 'outside-hours', 'Waits.'),
      ],
    })
    expect(pieces.map(({ kind }) => kind)).toEqual(['pause', 'delay', 'limited', 'charge', 'wait'])
    const at = pieceAt(pieces, Date.parse('2026-08-04T18:30:00Z'))
    expect(pieces[at] && pieceText(pieces[at], now, plan.time_zone)).toBe(
      '18:00 to 20:00: Your hours.',
    )
    expect(pieceAt(pieces, Date.parse('2026-08-05T18:30:00Z'))).toBe(-1)
  })
})
