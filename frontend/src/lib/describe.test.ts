import { describe as suite, expect, it } from 'vitest'
import { describe } from './describe'
import { connector, NOW } from './fixtures'

const say = (over: Parameters<typeof connector>[0], current = true) =>
  describe(connector(over), NOW, 'Europe/London', current)

suite('describe', () => {
  it('says when a waiting socket starts, to the drawn second', () => {
    expect(say({})).toMatchObject({
      headline: 'Waiting for schedule',
      figure: { text: 'Starts 22:07:31', note: 'in 8 h 2 min' },
      since: 'Since 13:00',
      until: null,
    })
  })

  it('says that a delay may follow the start', () => {
    expect(say({ until: '2026-08-04T21:00:00Z', delay_max_s: 600 }).figure).toMatchObject({
      text: 'Starts 22:00 + delay',
      note: 'in 7 h 55 min, plus a random delay of up to 10 min',
    })
  })

  it('counts a delay down to its end', () => {
    const delayed = { state: 'random_delay', until: '2026-08-04T13:09:12Z' } as const
    expect(say(delayed)).toMatchObject({
      headline: 'Random delay',
      figure: { text: '4 min 12 s left', note: 'Starts by itself at 14:09:12' },
    })
    expect(say({ ...delayed, until: '2026-08-04T13:05:09Z' }).figure?.text).toBe('9 s left')
    expect(say({ ...delayed, until: '2026-08-04T13:04:00Z' }).figure?.text).toBe('0 s left')
  })

  it('says until when it charges', () => {
    const charging = { state: 'charging', until: '2026-08-05T06:30:00Z' } as const
    expect(say(charging).headline).toBe('Charging until tomorrow 07:30')
    expect(say({ ...charging, until: null }).headline).toBe('Charging')
  })

  it('shows live power only while it is live and the server is heard', () => {
    const charging = { state: 'charging', power_w: 7214 } as const
    expect(say(charging).figure).toEqual({ text: '7.2', unit: 'kW', note: null })
    expect(say(charging, false).figure).toBeNull()
    expect(say({ ...charging, measured_at: '2026-08-04T13:03:00Z' }).figure).toBeNull()
    expect(say({ ...charging, power_w: null }).figure).toBeNull()
  })

  it('tells an idle socket from a plugged-in one', () => {
    expect(say({ state: 'available', plug: 'out', until: null }).headline).toBe('Ready')
    expect(say({ state: 'available', plug: 'in', until: null }).headline).toBe('Plugged in')
  })

  it('says since when a charger is away', () => {
    const away = say({ state: 'offline', until: null })
    expect(away.headline).toBe('Offline')
    expect(away.figure?.text).toBe('since 13:00')
  })

  it('does not fall over a state from a newer server', () => {
    expect(say({ state: 'dancing' as never }).headline).toBe('Not known')
  })
})
