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
