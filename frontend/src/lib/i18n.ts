import { en } from './en'

export const LOCALE = 'en-GB'

type Texts = Record<string, string>
type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never

/** A function that gives the text for a key; a text with {names} must be given them. */
export function translator<const T extends Texts>(texts: T) {
  return <K extends keyof T & string>(
    key: K,
    ...params: [Names<T[K]>] extends [never] ? [] : [Record<Names<T[K]>, string | number>]
  ): string => {
    const values = params[0] as Record<string, string | number> | undefined
    return (texts[key] as string).replace(/\{(\w+)\}/g, (whole, name: string) =>
      String(values?.[name] ?? whole),
    )
  }
}

export type Key = keyof typeof en

export const t = translator(en)
