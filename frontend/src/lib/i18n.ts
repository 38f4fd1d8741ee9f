import { en } from './en'

export const LOCALE = 'en-GB'

export type Key = keyof typeof en

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never
type Params<K extends Key> = Names<(typeof en)[K]>

/** The text for a key; a text with {names} must be given them. */
export function t<K extends Key>(
  key: K,
  ...params: [Params<K>] extends [never] ? [] : [Record<Params<K>, string | number>]
): string {
  const values = params[0] as Record<string, string | number> | undefined
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values?.[name] ?? whole))
}
