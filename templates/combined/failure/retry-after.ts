/**
 * When a provider says that it can be asked again. Pure: takes response headers and texts, returns milliseconds from
 * now.
 */

type Headers = Readonly<Record<string, string>>

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export type Said = {
  readonly headers: Headers
  readonly texts: readonly string[]
  /** The failure is about a limit; only then are the headers of used-up limits and the text used. */
  readonly limit: boolean
  /** The zone of dates without one, as "+08:00"; it is known only for some vendors. */
  readonly zone?: string
}

/**
 * Retry-After as seconds or as a date (RFC 9110 10.2.3) and the millisecond form that OpenAI sends apply to every
 * failure. For limits, these are used too: the reset of an exhausted limit (OpenAI, Anthropic, Groq, OpenRouter), and
 * the text (Google's RetryInfo, OpenAI's "try again in 6m0s", ChatGPT's resets_in_seconds and resets_at, dates).
 */
export function read({ headers, texts, limit, zone }: Said, now: number): number | undefined {
  const lower = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]))
  const milliseconds = Number.parseFloat(lower["retry-after-ms"] ?? "")
  if (milliseconds >= 0) return Math.ceil(milliseconds)
  const named = retryAfter(lower["retry-after"], now)
  if (named !== undefined || !limit) return named
  return limits(lower, now) ?? said(texts, now, zone)
}

function retryAfter(text: string | undefined, now: number) {
  if (!text) return undefined
  const seconds = Number(text)
  return seconds >= 0 ? Math.ceil(seconds * 1000) : date(text, now)
}

/** Of several used-up limits, the one that lasts longest. */
function limits(headers: Headers, now: number) {
  const waits = Object.entries(headers).flatMap(([name, value]) => {
    if (!name.includes("ratelimit")) return []
    // The IETF draft: `"default";r=0;t=50`.
    const field = /\br=0\b.*?\bt=(\d+)/.exec(value)?.[1]
    if (field) return [Number(field) * 1000]
    const reset = resetOf(name, value)
    return reset === undefined ? [] : (moment(headers[reset] ?? "", now) ?? [])
  })
  return waits.length ? Math.max(...waits) : undefined
}

/** The header that says when a limit is reset, for the header that says that it is used up. */
function resetOf(name: string, value: string) {
  if (name.includes("remaining") && Number(value) === 0) return name.replace("remaining", "reset")
  // Anthropic's plans: limits with this name have no "remaining".
  if (name.endsWith("-status") && value.trim() === "rejected") return name.replace(/status$/, "reset")
  return undefined
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

/** What precedes a time: when the limit ends, or when to ask again. */
const ANNOUNCED =
  "(?:try(?:ing)? again|retry(?:ing)?|resets?|reset_time|refresh(?:es|ed)?|available(?: again)?|access|wait(?: for)?|重置|恢复|刷新|重试)"

const SPAN = new RegExp(
  `${ANNOUNCED}(?: in| after| at least| for)?[ :：]*(?:about |approximately )?((?:\\d+(?:\\.\\d+)?(?:ms|[smhd])\\s?)+)(?![\\w])`,
  "i",
)

const UNIT = "(milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|秒|分钟|小时|天)"

/** One or several numbers with units: "2 hours", "3 hours and 5 minutes". */
const WORDS = new RegExp(
  `${ANNOUNCED}(?: in| after| at least| for)?[ :：]*(?:about |approximately )?((?:\\d+(?:\\.\\d+)? ?${UNIT}(?:,? (?:and )?)?)+)`,
  "i",
)
/** In Chinese the unit comes first: "30 秒后重试". */
const LATER = /(\d+(?:\.\d+)? ?(?:秒|分钟|小时|天))钟?(?:之)?后/
const DELAY = /"?retryDelay"?\s*:\s*"?(\d+(?:\.\d+)?s)"?/
const FIELD = /"(resets_in_seconds|resets_at|retry_after|retryAfter|retry_after_seconds)"\s*:\s*"?(\d+(?:\.\d+)?)/

/** A year first, with or without a zone: "2026-03-01T13:00:00Z", "2026-11-28 18:48:09 +0800 CST", "2027-01-01 at 00:00 UTC". */
const DATE = new RegExp(
  `${ANNOUNCED}[^"\\n]{0,40}?(\\d{4}-\\d\\d-\\d\\d)(?:[T ]|,? at )(\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?) ?(Z\\b|UTC|GMT|[+-]\\d\\d:?\\d\\d)?`,
  "i",
)

/** A month in letters, always with a zone: "Nov 30, 2026, 3:00 PM UTC". */
const MONTH = new RegExp(
  `${ANNOUNCED}[^"\\n]{0,40}?((?:\\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* [^"\\n]{0,30}?\\d{1,2}:\\d\\d(?::\\d\\d)?(?: ?[AP]M)? ?(?:UTC|GMT|[+-]\\d{4}))`,
  "i",
)

function said(texts: readonly string[], now: number, zone: string | undefined) {
  for (const text of texts) {
    const short = (DELAY.exec(text) ?? SPAN.exec(text))?.[1]
    const field = FIELD.exec(text)
    const found =
      (short && span(short.replaceAll(" ", ""))) ||
      counted((WORDS.exec(text) ?? LATER.exec(text))?.[1]) ||
      (field && moment(field[2], now)) ||
      day(DATE.exec(text), now, zone) ||
      date(MONTH.exec(text)?.[1].replaceAll(/,|\bat\b/g, " ") ?? "", now)
    if (found) return found
  }
  return undefined
}

function counted(text: string | undefined) {
  if (!text) return undefined
  const pieces = [...text.matchAll(new RegExp(`(\\d+(?:\\.\\d+)?) ?${UNIT}`, "gi"))]
  return Math.ceil(pieces.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[short(unit.toLowerCase())], 0))
}

const short = (unit: string) =>
  unit.startsWith("milli") ? "ms" : ({ 秒: "s", 分钟: "m", 小时: "h", 天: "d" }[unit] ?? unit[0])

function day(found: RegExpExecArray | null, now: number, zone: string | undefined) {
  if (!found) return undefined
  const [, days, time, named] = found
  const where = named ? named.replace(/UTC|GMT/i, "Z") : zone
  return where && date(`${days}T${time}${where.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2")}`, now)
}

export * as CombinedRetryAfter from "./retry-after"
