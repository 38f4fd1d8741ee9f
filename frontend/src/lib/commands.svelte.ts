import { api, ApiError, NoAnswer } from './api/client'
import type { Command, Connector } from './api/types'
import { clock } from './clock.svelte'
import { t } from './i18n'
import { live } from './live.svelte'
import { isIntentShown, isShown, isWorking, newest, progressOf, progressOfIntent } from './stepper'
import type { Intent, Progress } from './stepper'
import { uuid } from './uuid'

/** A socket's id, or a charge point's. */
type Target = string

class Commands {
  #intents = $state.raw<Record<Target, Intent>>({})
  #dismissed = $state.raw<ReadonlySet<string>>(new Set())

  /** Sends one wish; while it is on its way, further taps on the same target do nothing. */
  async act(target: Target, kind: string, path: string, body: unknown = {}): Promise<void> {
    const before = this.#intents[target]
    if (before?.phase === 'sending') return
    // The same key for the same wish only: the server takes it for one and the same request.
    const same = before?.kind === kind && JSON.stringify(before.body) === JSON.stringify(body)
    const key = before?.phase === 'no-answer' && same ? before.key : uuid()
    const intent: Intent = {
      kind,
      body,
      key,
      phase: 'sending',
      error: null,
      command: null,
      at: clock.now,
    }
    this.#set(target, intent)
    try {
      const command = await api<Command>('POST', path, { body, idempotencyKey: key })
      live.put(command)
      this.#set(target, { ...intent, phase: 'sent', command })
    } catch (error) {
      const unanswered = error instanceof NoAnswer
      this.#set(target, {
        ...intent,
        phase: unanswered ? 'no-answer' : 'refused',
        error: unanswered
          ? t('command.no-answer')
          : (error instanceof ApiError && error.message) || t('error.unexpected'),
      })
    }
  }

  /** What this phone last asked for, so that "Try again" asks the same. */
  bodyOf(target: Target, kind: string): unknown {
    const intent = this.#intents[target]
    return intent?.kind === kind ? intent.body : {}
  }

  /** What is going on at a socket, from this phone or another; null when there is nothing to tell. */
  ofSocket(connector: Connector): { progress: Progress; working: boolean } | null {
    const told = Object.values(live.snapshot.commands).filter((c) => c.connector === connector.id)
    return this.#progress(connector.id, [connector.command, ...told], connector)
  }

  ofCharger(chargePoint: string): { progress: Progress; working: boolean } | null {
    const told = Object.values(live.snapshot.commands).filter(
      (c) => c.charge_point === chargePoint && c.connector === null && c.kind !== 'refresh',
    )
    return this.#progress(chargePoint, told, null)
  }

  dismiss(target: Target): void {
    const { [target]: intent, ...rest } = this.#intents
    const ids = Object.values(live.snapshot.commands)
      .filter((c) => (c.connector ?? c.charge_point) === target && !isWorking(c))
      .map((c) => c.id)
    const told = live.snapshot.connectors[target]?.command
    if (told) ids.push(told.id)
    if (intent?.command) ids.push(intent.command.id)
    this.#dismissed = new Set([...this.#dismissed, ...ids])
    this.#intents = rest
  }

  clear(): void {
    this.#intents = {}
    this.#dismissed = new Set()
  }

  #set(target: Target, intent: Intent): void {
    this.#intents = { ...this.#intents, [target]: intent }
  }

  #progress(target: Target, told: (Command | null)[], connector: Connector | null) {
    const intent = this.#intents[target]
    const command = newest([intent?.command, ...told])
    // A tap whose answer is still out, or that was refused, is newer than any command it found.
    if (intent && isIntentShown(intent, command, clock.now)) {
      return { progress: progressOfIntent(intent), working: intent.phase === 'sending' }
    }
    if (!command || this.#dismissed.has(command.id)) return null
    if (!isShown(command, connector, clock.now)) return null
    return { progress: progressOf(command, connector, clock.now), working: isWorking(command) }
  }
}

export const commands = new Commands()
