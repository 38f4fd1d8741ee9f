import type { Connector, ConnectorState } from './api/types'
import { countdown, duration, isLive, kilowattHours, kilowatts, moment } from './format'
import { t } from './i18n'

export type Tone = 'charging' | 'waiting' | 'ready' | 'resting' | 'trouble' | 'away'

/** What a socket's card says first. */
export interface Description {
  headline: string
  tone: Tone
  /** The headline's number; `text` is a phrase where there is no unit. */
  figure: { text: string; unit: string | null; note: string | null } | null
  /** How long it has been so, and until when it stays so. */
  since: string | null
  until: string | null
}

const TONES: Record<ConnectorState, Tone> = {
  available: 'ready',
  waiting_for_schedule: 'waiting',
  random_delay: 'waiting',
  charging: 'charging',
  paused_by_vehicle: 'resting',
  finished: 'resting',
  unavailable: 'trouble',
  faulted: 'trouble',
  locked: 'waiting',
  offline: 'away',
}

export function headlineOf({ state, plug }: Pick<Connector, 'state' | 'plug'>): string {
  if (!(state in TONES)) return t('state.unknown')
  return state === 'available' && plug === 'in' ? t('state.available-plugged') : t(`state.${state}`)
}

export const toneOf = (state: ConnectorState): Tone => TONES[state] ?? 'away'

/**
 * `current` says whether the phone hears the server; without it nothing is shown as happening now.
 * `now` is server time in ms.
 */
export function describe(
  connector: Connector,
  now: number,
  zone: string,
  current: boolean,
): Description {
  const { state, since, until } = connector
  const clock = (at: string) => moment(at, now, zone, { exact: true })
  const described: Description = {
    headline: headlineOf(connector),
    tone: toneOf(state),
    figure: null,
    since: since && t('socket.since', { clock: moment(since, now, zone) }),
    until: until && t('socket.until', { clock: clock(until) }),
  }
  const left = until ? (Date.parse(until) - now) / 1000 : 0

  switch (state) {
    case 'charging':
      if (until && left > 0) {
        described.headline = t('state.charging-until', { clock: clock(until) })
        described.until = null
      }
      if (connector.power_w !== null && current && isLive(connector.measured_at, now)) {
        described.figure = { text: kilowatts(connector.power_w), unit: 'kW', note: null }
      }
      break
    case 'waiting_for_schedule':
      if (until) {
        const delay = connector.delay_max_s ?? 0
        const wait = duration(Math.round(left))
        described.figure = {
          text: t(delay > 0 ? 'socket.starts-delay' : 'socket.starts', { clock: clock(until) }),
          unit: null,
          note:
            left <= 0
              ? null
              : delay > 0
                ? t('socket.delay-note', { duration: wait, minutes: Math.ceil(delay / 60) })
                : t('socket.in', { duration: wait }),
        }
        described.until = null
      }
      break
    case 'random_delay':
      if (until) {
        described.figure = {
          text: t('socket.left', { time: countdown(left) }),
          unit: null,
          note: t('socket.starts-at', { clock: clock(until) }),
        }
        described.until = null
      }
      break
    case 'finished':
    case 'paused_by_vehicle':
      if (connector.session) {
        described.figure = {
          text: kilowattHours(connector.session.energy_wh),
          unit: 'kWh',
          note: t('socket.energy').toLowerCase(),
        }
      }
      break
    case 'offline':
      if (since) {
        described.figure = {
          text: t('socket.offline-since', { clock: moment(since, now, zone) }),
          unit: null,
          note: null,
        }
        described.since = null
      }
      break
    default:
  }
  return described
}
