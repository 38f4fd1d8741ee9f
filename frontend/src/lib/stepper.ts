import type { Command, CommandState, Connector } from './api/types'
import { isLive, kilowatts } from './format'
import { t, type Key } from './i18n'

export interface Step {
  label: string
  state: 'done' | 'current' | 'todo' | 'failed'
}

export interface Progress {
  phase: 'working' | 'done' | 'failed'
  kind: string
  steps: Step[]
  /** What happens now, or what went wrong. */
  text: string
  /** Why it failed, and what to do. */
  help: string | null
}

/** What this phone did with a tap, before there is a command to follow. */
export interface Intent {
  kind: string
  body: unknown
  /** Kept over retries, so that the same wish acts once. */
  key: string
  phase: 'sending' | 'sent' | 'refused' | 'no-answer'
  error: string | null
  command: Command | null
  /** Server time, in ms. */
  at: number
}

const WORKING: CommandState[] = ['queued', 'sent', 'accepted']
const SHOW_DONE_MS = 8_000
const SHOW_FAILED_MS = 10 * 60_000
const SHOW_WORKING_MS = 15 * 60_000

const text = (prefix: 'step' | 'command.accepted' | 'command.failed', kind: string): string => {
  const known: Record<string, string[]> = {
    step: ['charge-now', 'wait-for-schedule', 'skip-delay', 'stop', 'reset', 'unlock', 'refresh'],
    'command.accepted': ['charge-now', 'skip-delay', 'stop'],
    'command.failed': ['charge-now', 'wait-for-schedule', 'skip-delay', 'stop', 'reset', 'unlock'],
  }
  return t(`${prefix}.${known[prefix]?.includes(kind) ? kind : 'other'}` as Key & 'step.other')
}

export function isWorking(command: Command | null): boolean {
  return command !== null && WORKING.includes(command.state)
}

/** The newest of several commands, and of several accounts of one command the one that got furthest. */
export function newest(commands: (Command | null | undefined)[]): Command | null {
  let best: Command | null = null
  for (const command of commands) {
    if (!command) continue
    const later = best ? Date.parse(command.created) - Date.parse(best.created) : 1
    if (!best || later > 0 || (later === 0 && rank(command) > rank(best))) best = command
  }
  return best
}

function rank(command: Command): number {
  const at = WORKING.indexOf(command.state)
  return at < 0 ? WORKING.length : at
}

/** Whether a tap still counts for more than the newest command that is known. */
export function isIntentShown(intent: Intent, command: Command | null, now: number): boolean {
  if (intent.phase === 'sent') return false
  if (intent.phase === 'sending') return true
  return now - intent.at < SHOW_FAILED_MS && (!command || Date.parse(command.created) <= intent.at)
}

/** Whether a command still tells a person something: in progress, just proved, or failed and not yet made good. */
export function isShown(command: Command, connector: Connector | null, now: number): boolean {
  const created = now - Date.parse(command.created)
  if (isWorking(command)) return created < SHOW_WORKING_MS
  if (command.state === 'verified') {
    return now - Date.parse(command.verified ?? command.created) < SHOW_DONE_MS
  }
  return created < SHOW_FAILED_MS && !cameTrue(command, connector)
}

/** A failure that was overtaken: the car charges after all, or the session did end. */
function cameTrue(command: Command, connector: Connector | null): boolean {
  if (!connector) return false
  if (['charge-now', 'skip-delay'].includes(command.kind)) return connector.state === 'charging'
  if (command.kind === 'stop') {
    return ['available', 'finished'].includes(connector.state) || connector.plug === 'out'
  }
  return false
}

function lastStep(kind: string, connector: Connector | null, now: number): string {
  if (
    ['charge-now', 'skip-delay'].includes(kind) &&
    connector?.state === 'charging' &&
    connector.power_w !== null &&
    isLive(connector.measured_at, now)
  ) {
    return t('step.charging-at', { kw: kilowatts(connector.power_w) })
  }
  return text('step', kind)
}

/** Nothing here runs ahead of the charger: a step is done when the server says so. */
export function progressOf(command: Command, connector: Connector | null, now: number): Progress {
  const { kind, state } = command
  const last = text('step', kind)
  const steps = (sent: Step['state'], agreed: Step['state'], proved: Step['state']): Step[] => [
    { label: t('step.sent'), state: sent },
    { label: agreed === 'failed' ? t('step.not-agreed') : t('step.agreed'), state: agreed },
    { label: proved === 'done' ? lastStep(kind, connector, now) : last, state: proved },
  ]
  switch (state) {
    case 'queued':
    case 'sent':
      return {
        phase: 'working',
        kind,
        steps: steps('done', 'current', 'todo'),
        text: t('command.sent'),
        help: null,
      }
    case 'accepted':
      return {
        phase: 'working',
        kind,
        steps: steps('done', 'done', 'current'),
        text: text('command.accepted', kind),
        help: null,
      }
    case 'verified':
      return {
        phase: 'done',
        kind,
        steps: steps('done', 'done', 'done'),
        text: lastStep(kind, connector, now),
        help: null,
      }
    default: {
      const agreed = state === 'no_effect' || (state === 'expired' && command.answered !== null)
      return {
        phase: 'failed',
        kind,
        steps: agreed ? steps('done', 'done', 'failed') : steps('done', 'failed', 'todo'),
        text: text('command.failed', kind),
        help: command.reason?.text || t('command.failed.unknown'),
      }
    }
  }
}

const FIRST_STEP = {
  sending: 'step.sending',
  sent: 'step.sent',
  refused: 'step.not-sent',
  'no-answer': 'step.not-known',
} as const

export function progressOfIntent(intent: Intent): Progress {
  const { kind } = intent
  const failed = intent.phase === 'refused' || intent.phase === 'no-answer'
  return {
    phase: failed ? 'failed' : 'working',
    kind,
    steps: [
      {
        label: t(FIRST_STEP[intent.phase]),
        state: failed ? 'failed' : 'current',
      },
      { label: t('step.agreed'), state: 'todo' },
      { label: text('step', kind), state: 'todo' },
    ],
    text: failed ? text('command.failed', kind) : t('command.sending'),
    help: failed ? (intent.error ?? t('error.unexpected')) : null,
  }
}
