import type { Command, Connector, ServerMessage, Snapshot } from './api/types'
import { backoff } from './backoff'
import { clock } from './clock.svelte'
import { applyChanges, EMPTY } from './snapshot'

/** How the phone stands towards the server. `catching-up` is the short while nobody needs to be told about. */
export type Connection = 'live' | 'catching-up' | 'reconnecting' | 'unreachable' | 'offline'

const PATIENCE_MS = 3_000
const UNREACHABLE_MS = 20_000
const PING_MS = 25_000
const ANSWER_MS = 10_000
const NOT_SIGNED_IN = 4401

class Live {
  snapshot = $state.raw<Snapshot>(EMPTY)
  /** Server time of the last word from the server, in ms; 0 before the first. */
  asOf = $state(0)
  serverVersion = $state<string | null>(null)

  #online = $state(navigator.onLine)
  #connected = $state(false)
  /** When the socket was lost, by the clock of server time. */
  #lostAt = $state(clock.now)

  #socket: WebSocket | null = null
  #wanted = false
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #ping: ReturnType<typeof setInterval> | undefined
  #answer: ReturnType<typeof setTimeout> | undefined
  #asked = false

  onsignedout: () => void = () => {}
  onnewserver: () => void = () => {}
  onchange: () => void = () => {}

  constructor() {
    addEventListener('online', () => {
      this.#online = true
      this.#again()
    })
    addEventListener('offline', () => {
      this.#online = false
      this.#drop()
    })
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#again()
      else this.#drop()
    })
    addEventListener('pageshow', (event) => {
      if (event.persisted) this.#again()
    })
  }

  get connection(): Connection {
    if (!this.#online) return 'offline'
    if (this.#connected) return 'live'
    const lost = clock.now - this.#lostAt
    if (lost < PATIENCE_MS) return 'catching-up'
    return lost < UNREACHABLE_MS ? 'reconnecting' : 'unreachable'
  }

  /** Whether what the screen says is what the server says now; else no button may be offered. */
  get current(): boolean {
    return (
      this.#online &&
      (this.#connected || (this.connection === 'catching-up' && clock.now - this.asOf < 30_000))
    )
  }

  start(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#lostAt = clock.now
    this.#open()
  }

  stop(): void {
    this.#wanted = false
    this.#drop()
    this.snapshot = EMPTY
    this.asOf = 0
  }

  restore(snapshot: Snapshot, asOf: number): void {
    this.snapshot = snapshot
    this.asOf = asOf
  }

  /** Takes in a command that came as the answer to a POST, unless the socket has already told more. */
  put(command: Command): void {
    if (this.snapshot.commands[command.id]) return
    this.snapshot = {
      ...this.snapshot,
      commands: { ...this.snapshot.commands, [command.id]: command },
    }
  }

  /** Takes in an object that came as the answer to a request. */
  merge<K extends 'charge_points' | 'connectors' | 'sites'>(
    collection: K,
    value: Snapshot[K][string] & { id: string },
  ): void {
    this.snapshot = {
      ...this.snapshot,
      [collection]: { ...this.snapshot[collection], [value.id]: value },
    }
  }

  connectorsOf(chargePoint: string): Connector[] {
    return Object.values(this.snapshot.connectors)
      .filter((connector) => connector.charge_point === chargePoint)
      .sort((a, b) => a.number - b.number)
  }

  #again(): void {
    clock.tick()
    if (!this.#wanted) return
    if (this.#connected) return
    this.#lostAt = clock.now
    this.#attempt = 0
    this.#open()
  }

  #open(): void {
    clearTimeout(this.#retry)
    if (!this.#wanted || this.#socket || !navigator.onLine) return
    if (document.visibilityState !== 'visible') return
    const { protocol, host } = location
    const socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/ws/live/`)
    this.#socket = socket
    this.#expectAnswer()
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(JSON.parse(event.data as string) as ServerMessage)
    }
    socket.onclose = (event) => {
      if (socket !== this.#socket) return
      this.#drop()
      if (event.code === NOT_SIGNED_IN) {
        this.onsignedout()
        return
      }
      this.#retry = setTimeout(() => this.#open(), backoff(this.#attempt++))
    }
    this.#ping = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return
      socket.send('{"type":"ping"}')
      this.#expectAnswer()
    }, PING_MS)
  }

  #receive(message: ServerMessage): void {
    clearTimeout(this.#answer)
    clock.learn(message.time)
    if (message.type === 'hello') {
      if (this.serverVersion !== null && this.serverVersion !== message.version) this.onnewserver()
      this.serverVersion = message.version
      return
    }
    if (message.type === 'snapshot') {
      this.#asked = false
      this.#attempt = 0
      this.#connected = true
    } else if (!this.#connected) {
      // Changes to a snapshot of an earlier socket would mix two states.
      return
    }
    const { snapshot, gap } = applyChanges(this.snapshot, message)
    if (gap) {
      if (!this.#asked) this.#socket?.send('{"type":"snapshot"}')
      this.#asked = true
      return
    }
    this.snapshot = snapshot
    this.asOf = Date.parse(message.time)
    this.onchange()
  }

  /** A half-open socket looks alive for minutes; silence after a question ends it. */
  #expectAnswer(): void {
    clearTimeout(this.#answer)
    const socket = this.#socket
    this.#answer = setTimeout(() => {
      if (socket !== this.#socket) return
      this.#drop()
      this.#open()
    }, ANSWER_MS)
  }

  #drop(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#answer)
    clearInterval(this.#ping)
    const socket = this.#socket
    this.#socket = null
    socket?.close()
    if (this.#connected) this.#lostAt = clock.now
    this.#connected = false
    this.#asked = false
  }
}

export const live = new Live()
