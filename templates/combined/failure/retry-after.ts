/**
 * When a provider says that it can be asked again. Pure: takes response headers and texts, returns milliseconds from
 * now.
 */
import { CombinedMoment } from "./moment"

type Headers = Readonly<Record<string, string>>

export type Said = {
  readonly headers: Headers
  readonly texts: readonly string[]
  /** The failure is about a limit. Only then are the text and the headers of used-up limits read. */
  readonly limit: boolean
  /** The zone for dates that name none, such as "+08:00"; only known for some vendors. */
  readonly zone?: string
  /** Where this vendor gives the time: "header:x", "field:x", "text"; "none" if something only looks like one. */
  readonly places?: readonly string[]
}

/** No limit is longer. A longer time is a mistake and is ignored. */
const LONGEST = 366 * 86_400_000

/**
 * For every failure: Retry-After, as seconds or as a date (RFC 9110 10.2.3), and OpenAI's form of it in milliseconds.
 * For a limit also: the reset header of a used-up limit (OpenAI, Anthropic, Groq, OpenRouter, Codex), and what the text
 * says (Google's RetryInfo, OpenAI's "try again in 6m0s", ChatGPT's resets_in_seconds and resets_at, dates).
 */
export function read({ headers, texts, limit, zone, places = [] }: Said, now: number): number | undefined {
  if (places.includes("none")) return undefined
  const lower = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]))
  const waits = [
    ...places.map((place) => () => at(place, lower, texts, now, zone)),
    () => milliseconds(lower["retry-after-ms"]),
    () => retryAfter(lower["retry-after"], now),
    ...(limit ? [() => limits(lower, now), () => said(texts, now, zone)] : []),
  ]
  for (const wait of waits) {
    const found = wait()
    if (found !== undefined && found <= LONGEST) return found
  }
  return undefined
}

function at(place: string, headers: Headers, texts: readonly string[], now: number, zone: string | undefined) {
  if (place === "text") return said(texts, now, zone)
  if (place.startsWith("header:")) return CombinedMoment.moment(headers[place.slice(7)] ?? "", now, zone)
  return field(texts.find((text) => text.startsWith(`"${place.slice(6)}":`)) ?? "", now, zone)
}

function milliseconds(text: string | undefined) {
  const value = CombinedMoment.number(text ?? "")
  return value === undefined ? undefined : Math.ceil(value)
}

function retryAfter(text: string | undefined, now: number) {
  if (!text) return undefined
  const value = CombinedMoment.number(text)
  if (value !== undefined && value < 1e9) return Math.ceil(value * 1000)
  return CombinedMoment.moment(text, now)
}

/** Of several used-up limits, the one that lasts longest. */
function limits(headers: Headers, now: number) {
  const waits = Object.entries(headers).flatMap(([name, value]) => {
    // For ChatGPT's plans: x-codex-primary-used-percent.
    if (name.startsWith("x-codex-") && name.endsWith("-used-percent") && (CombinedMoment.number(value) ?? 0) >= 100)
      return CombinedMoment.moment(headers[name.replace("used-percent", "reset-after-seconds")] ?? "", now) ?? []
    if (!name.includes("ratelimit")) return []
    // From the IETF's draft: `"default";r=0;t=50`.
    const found = /\br=0\b.*?\bt=(\d{1,9})/.exec(value)?.[1]
    if (found) return [Number(found) * 1000]
    const reset = resetOf(name, value)
    return reset === undefined ? [] : (CombinedMoment.moment(headers[reset] ?? "", now) ?? [])
  })
  return waits.length ? Math.max(...waits) : undefined
}

/** If this header says that a limit is used up: the name of the header that says when it is reset. */
function resetOf(name: string, value: string) {
  if (name.includes("remaining") && CombinedMoment.number(value) === 0) return name.replace("remaining", "reset")
  // For Anthropic's plans: there is no "remaining" header for these limits.
  if (name.endsWith("-status") && value.trim() === "rejected") return name.replace(/status$/, "reset")
  return undefined
}

/** The words before a time: when the limit ends, or when to ask again. */
const ANNOUNCED =
  "(?:try(?:ing)? again|come back|retry(?:ing)?|resets?|reset_time|refresh(?:es|ed)?|renews?|available(?: again)?|access|wait(?: for)?|重置|恢复|刷新|重试|等待)"

const NEARLY = "(?: in| after| at least| for)?[ :：]*(?:about |approximately |around |~ ?|约 ?)?"

const SPAN = new RegExp(`${ANNOUNCED}${NEARLY}((?:\\d{1,9}(?:\\.\\d{1,12})?(?:ms|[smhdw])\\s?){1,6})(?![\\w])`, "i")

const UNIT = "(milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|秒钟?|分钟|个?小时|天|周|个?星期)"

const COUNTED = `(?:\\d{1,9}(?:\\.\\d{1,12})?|an?|one) ?${UNIT}`

/** One or several numbers with units: "2 hours", "3 hours and 5 minutes", "6hr 29min". */
const WORDS = new RegExp(`${ANNOUNCED}${NEARLY}((?:${COUNTED}(?:,? (?:and )?)?){1,6})`, "i")

/** In Chinese the time comes first: "30 秒后重试", "3 小时 20 分钟后恢复". */
const LATER = /((?:\d{1,9}(?:\.\d{1,12})? ?(?:秒|分钟|个?小时|天|周|个?星期)[ 零]?){1,6})钟?[之以]?后/

const DELAY = /"?retryDelay"?\s{0,4}:\s{0,4}"?(\d{1,9}(?:\.\d{1,12})?s)"?/

const NAME =
  "(?:next_?|quota_?|limit_?|window_?|usage_?)?(?:resets?_?(?:at|in|on|after|timestamp|time|date|delay|seconds|ms)(?:_?seconds)?|retry_?(?:after|in|at|delay)(?:_?(?:seconds|secs|ms))?|(?:cooldown|wait)_?(?:seconds|secs|ms)|(?:next_?)?available_?at|estimated_time)"

/** A field that says when a limit ends, as in collect.ts. */
const FIELD = new RegExp(`"(${NAME})"\\s{0,4}:\\s{0,4}"?([^",}\\n]{1,60})`, "i")

const CLOCK_TIME = "\\d{1,2}:\\d\\d(?::\\d\\d(?:\\.\\d{1,9})?)?"

const ZONE = "(?:Z\\b|(?:UTC|GMT)(?:[+-]\\d{1,2}(?::?\\d\\d)?)?|[+-]\\d\\d:?\\d\\d|北京时间)"

/**
 * A date that starts with the year: "2026-03-01T13:00:00Z", "2026-11-28 18:48:09 +0800 CST", "2027-01-01 at 00:00 UTC".
 */
const DAY = `(\\d{4}-\\d\\d-\\d\\d|\\d{4}年\\d{1,2}月\\d{1,2}日)(?:[T ]|,? at )? ?(${CLOCK_TIME}) ?\\(?(${ZONE})?`
const DATE = new RegExp(`${ANNOUNCED}[^"\\n]{0,40}?${DAY}`, "i")
/** In Chinese, the words about what happens then come after the date. */
const DATE_LATER = new RegExp(`${DAY}\\)?[^"\\n。]{0,12}(?:重置|恢复|刷新|解除|后可)`)

/** A date with the name of the month, and with a zone unless the vendor's is known: "Nov 30, 2026, 3:00 PM UTC". */
const MONTH = new RegExp(
  `${ANNOUNCED}[^"\\n]{0,40}?((?:\\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\\.? [^"\\n]{0,30}?\\d{1,2}:\\d\\d(?::\\d\\d)?(?: ?[AP]M)?) ?(${ZONE})?`,
  "i",
)

/** A time of the day in a zone: "resets at 10:00 UTC", "resets 3pm (Asia/Seoul)", "at 10:57 PM GMT-3". */
const CLOCK = new RegExp(
  `${ANNOUNCED}(?: at)? \\(?(?:(\\d{1,2})(?::(\\d\\d))?(?::\\d\\d)? ?([AP]M)?|(midnight)) ?\\(?((?:UTC|GMT)(?:[+-]\\d{1,2})?\\b|[A-Z][a-z]{1,20}/[A-Z][A-Za-z_]{1,30}(?:[+-]\\d{1,2})?)`,
  "i",
)

/** Seconds or milliseconds since the epoch, inside a sentence. */
const EPOCH = new RegExp(`(?:${ANNOUNCED}[^\\d\\n]{0,20}|limit reached\\|)(\\d{13}|\\d{10})(?!\\d)`, "i")

function said(texts: readonly string[], now: number, zone: string | undefined) {
  for (const text of texts) {
    const short = (DELAY.exec(text) ?? SPAN.exec(text))?.[1]
    const found =
      (short && CombinedMoment.span(short.replaceAll(" ", ""))) ||
      counted((WORDS.exec(text) ?? LATER.exec(text))?.[1]) ||
      field(text, now, zone) ||
      day(DATE.exec(text) ?? DATE_LATER.exec(text), now, zone) ||
      month(MONTH.exec(text), now, zone) ||
      clock(CLOCK.exec(text), now) ||
      CombinedMoment.moment(EPOCH.exec(text)?.[1] ?? "", now)
    if (found) return found
  }
  return undefined
}

function counted(text: string | undefined) {
  if (!text) return undefined
  const pieces = [...text.matchAll(new RegExp(`(\\d+(?:\\.\\d+)?|an?|one) ?${UNIT}`, "gi"))]
  return Math.ceil(
    pieces.reduce((sum, [, count, unit]) => sum + (Number(count) || 1) * CombinedMoment.unit(unit.toLowerCase()), 0),
  )
}

function field(text: string, now: number, zone: string | undefined) {
  const found = FIELD.exec(text)
  if (!found) return undefined
  const [, name, value] = found
  const count = CombinedMoment.number(value)
  if (count !== undefined && name.toLowerCase().endsWith("ms")) return Math.ceil(count) || undefined
  return CombinedMoment.moment(value.trim(), now, zone)
}

function day(found: RegExpExecArray | null, now: number, zone: string | undefined) {
  if (!found) return undefined
  const [, days, time, named] = found
  const where = named ?? zone
  return where === undefined ? undefined : CombinedMoment.date(`${days}T${time}`, now, where)
}

function month(found: RegExpExecArray | null, now: number, zone: string | undefined) {
  const where = found?.[2] ?? zone
  return found && where !== undefined ? CombinedMoment.letters(found[1], now, where) : undefined
}

const DAY_LENGTH = 86_400_000

/** The next time that a clock in this zone shows this. */
function clock(found: RegExpExecArray | null, now: number) {
  if (!found) return undefined
  const [, hour = "0", minute = "0", half, midnight, zone] = found
  const hours = midnight ? 0 : CombinedMoment.hours(Number(hour), half)
  if (hours === undefined || Number(minute) > 59) return undefined
  // Without minutes, AM or PM, it may be any number.
  if (!midnight && found[2] === undefined && half === undefined) return undefined
  const east = CombinedMoment.zone(zone, now)
  if (east === undefined) return undefined
  const there = now + east
  const today = Math.floor(there / DAY_LENGTH) * DAY_LENGTH + (hours * 60 + Number(minute)) * 60_000
  return today > there ? today - there : today + DAY_LENGTH - there
}

export * as CombinedRetryAfter from "./retry-after"
