import type { Window } from './api/types'
import { announcer } from './announcer.svelte'
import { barText } from './say'
import { addedTo, barsOf, copyDay, dayOf, merge, windowsOf, type Bar } from './week'
import { th } from './words/hours'

/** A week of hours being edited: every change can be undone, and overlaps become one. */
export class Draft {
  bars = $state.raw<Bar[]>([])
  selected = $state<number | null>(null)
  day = $state(0)

  #history = $state.raw<Bar[][]>([])
  /** The bars before a change that is still going on: a drag, a series of keys, typing. */
  #before = $state.raw<Bar[] | null>(null)
  #first: string

  constructor(windows: Window[]) {
    this.bars = barsOf(windows)
    this.#first = JSON.stringify(this.windows)
  }

  get windows(): Window[] {
    return windowsOf(this.bars)
  }

  get changed(): boolean {
    return JSON.stringify(this.windows) !== this.#first
  }

  get canUndo(): boolean {
    return this.#history.length > 0 || this.#before !== null
  }

  get bar(): Bar | null {
    return this.bars.find(({ id }) => id === this.selected) ?? null
  }

  select(bar: Bar | null): void {
    if (this.selected !== bar?.id) this.settle()
    this.selected = bar?.id ?? null
    if (bar) this.day = dayOf(bar)
  }

  /** Changes a bar as part of something that `settle` ends; until then overlaps stay as they are drawn. */
  change(bar: Bar): void {
    this.#before ??= this.bars
    this.bars = this.bars.map((one) => (one.id === bar.id ? bar : one))
    this.selected = bar.id
    this.day = dayOf(bar)
  }

  settle(): void {
    const before = this.#before
    if (!before) return
    this.#before = null
    const merged = merge(this.bars, this.selected ?? -1)
    const kept = merged.find(({ id }) => id === this.selected)
    if (merged.length < this.bars.length && kept) {
      announcer.say(th('editor.joined', { bar: barText(kept) }))
    }
    this.bars = merged
    if (kept) this.day = dayOf(kept)
    if (JSON.stringify(before) !== JSON.stringify(merged)) this.#remember(before)
  }

  add(day: number): Bar | null {
    this.settle()
    const bar = addedTo(this.bars, day)
    if (!bar) return null
    this.#set([...this.bars, bar].sort((a, b) => a.at - b.at))
    this.select(bar)
    return bar
  }

  remove(bar: Bar): void {
    this.settle()
    this.#set(this.bars.filter(({ id }) => id !== bar.id))
    if (this.selected === bar.id) this.selected = null
    announcer.say(th('editor.removed', { bar: barText(bar) }))
  }

  copy(from: number, to: number[]): void {
    this.settle()
    this.#set(copyDay(this.bars, from, to))
    this.selected = null
  }

  undo(): void {
    this.settle()
    const last = this.#history.at(-1)
    if (!last) return
    this.#history = this.#history.slice(0, -1)
    this.bars = last
    if (!this.bar) this.selected = null
    announcer.say(th('editor.undone'))
  }

  #set(bars: Bar[]): void {
    this.#remember(this.bars)
    this.bars = bars
  }

  #remember(bars: Bar[]): void {
    this.#history = [...this.#history.slice(-49), bars]
  }
}
