/** When a provider says that it can be asked again. Pure: response headers and texts in, milliseconds from now out. */

type Headers = Readonly<Record<string, string>>

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Retry-After as seconds or as a date (RFC 9110 10.2.3), the millisecond form that OpenAI sends, then the reset of a
 * limit of which nothing remains (OpenAI, Anthropic, Groq, OpenRouter), then what the text says (Google's RetryInfo,
 * OpenAI's "try again in 6m0s", ChatGPT's resets_in_seconds and resets_at, dates).
 */
export function read(headers: Headers, texts: readonly string[], now: number): number | undefined {
  const lower = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]))
  const milliseconds = Number.parseFloat(lower["retry-after-ms"] ?? "")
  if (milliseconds >= 0) return Math.ceil(milliseconds)
  return retryAfter(lower["retry-after"], now) ?? limits(lower, now) ?? said(texts, now)
}

function retryAfter(text: string | undefined, now: number) {
  if (!text) return undefined
  const seconds = Number(text)
  return seconds >= 0 ? Math.ceil(seconds * 1000) : date(text, now)
}

/** Of several limits that are used up the one that lasts longest. */
function limits(headers: Headers, now: number) {
  const waits = Object.entries(headers).flatMap(([name, value]) => {
    if (!name.includes("ratelimit") || !name.includes("remaining") || Number(value) !== 0) return []
    return moment(headers[name.replace("remaining", "reset")] ?? "", now) ?? []
  })
  return waits.length ? Math.max(...waits) : undefined
}

/** A reset is a span ("6m0s"), a date, seconds from now, or a time since the epoch in seconds or milliseconds. */
function moment(text: string, now: number) {
  const value = Number(text)
  if (!text || Number.isNaN(value)) return span(text) ?? date(text, now)
  const found = value > 1e12 ? value - now : value > 1e9 ? value * 1000 - now : value * 1000
  return found > 0 ? Math.ceil(found) : undefined
}

function span(text: string) {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined
  const pieces = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)]
  return Math.ceil(pieces.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit], 0))
}

function date(text: string, now: number) {
  const found = Date.parse(text) - now
  return found > 0 ? found : undefined
}

const SPAN = /(?:try again|retry|resets?|available(?: again)?) (?:in|after)[ :]*((?:\d+(?:\.\d+)?(?:ms|[smhd])\s?)+)\b/i
const WORDS =
  /(?:try again|retry|resets?|available(?: again)?) (?:in|after)[ :]*(\d+(?:\.\d+)?) ?(second|minute|hour|day)/i
const DELAY = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?s)"/
const FIELD = /"(resets_in_seconds|resets_at)"\s*:\s*"?(\d+)/
const DATE =
  /(?:try again|retry|resets?|available)[^"\n]{0,40}?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| ?UTC|[+-]\d\d:?\d\d))/i

function said(texts: readonly string[], now: number) {
  for (const text of texts) {
    const short = (DELAY.exec(text) ?? SPAN.exec(text))?.[1]
    const words = WORDS.exec(text)
    const field = FIELD.exec(text)
    const day = DATE.exec(text)?.[1]
    const found =
      (short && span(short.replaceAll(" ", ""))) ||
      (words && Math.ceil(Number(words[1]) * UNITS[words[2][0].toLowerCase()])) ||
      (field && moment(field[2], now)) ||
      (day && date(day.replace(" UTC", "Z"), now))
    if (found) return found
  }
  return undefined
}

export * as CombinedRetryAfter from "./retry-after"
